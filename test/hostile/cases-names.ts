import {mediaTypes} from '@airgap-mirror/oci-client/model'
import type {HostileCase} from './hostile-case.js'
import {descriptor, dockerOf, image, imageMembers, indexJson, LAYOUT, named} from './raw-image.js'
import {tar} from './raw-tar.js'

const one = image('good')

/** Image names in a bundle that would place an image elsewhere, or show a false text. */
export const hostileNames: readonly (readonly [string, string])[] = [
  ['control characters', 'app\u0000\u0007:v1'],
  ['terminal escapes', '\u001b]0;owned\u0007\u001b[2Japp:v1'],
  ['line breaks', 'app:v1\nerror: none\n'],
  ['a right-to-left override', 'gcr.io/\u202epp\u202ca:v1'],
  ['characters that look like others', 'gcr.io/аpp:v1'],
  ['full-width letters', 'gcr.io/ａｐｐ:v1'],
  ['upper case', 'gcr.io/App:v1'],
  ['parent directories', 'gcr.io/../../admin/app:v1'],
  ['a parent directory alone', '..:v1'],
  ['encoded dots', 'gcr.io/%2e%2e/%2e%2e/admin:v1'],
  ['a query', 'gcr.io/app?digest=sha256:0:v1'],
  ['a fragment', 'gcr.io/app#:v1'],
  ['a back slash', 'gcr.io\\..\\admin:v1'],
  ['empty components', 'gcr.io//app:v1'],
  ['a path in the tag', 'gcr.io/app:../../admin/manifests/v1'],
  ['a scheme', 'https://evil.example/app:v1'],
  ['a login', 'user:password@evil.example/app:v1'],
  ['10,000 letters', `gcr.io/${'a'.repeat(10_000)}:v1`],
  ['a tag of 200 letters', `gcr.io/app:${'v'.repeat(200)}`],
  ['a repository of 300 letters', `gcr.io/${'a/'.repeat(150)}a:v1`],
  ['a digest that is none', 'gcr.io/app@sha256:12'],
  ['white space', ' gcr.io/app:v1 '],
  ['nothing', ''],
]

/** A layout of the good image under this name. */
export function namedLayout(name: string): Buffer {
  return tar([
    ...imageMembers(one),
    indexJson([descriptor(mediaTypes.ociManifest, one.manifest, named(name))]),
    LAYOUT,
  ])
}

export const nameCases: readonly HostileCase[] = hostileNames.flatMap(
  ([what, name]): readonly HostileCase[] => [
    {
      name: `a name with ${what}`,
      made: `io.containerd.image.name ${JSON.stringify(name.slice(0, 40))}`,
      make: () => namedLayout(name),
      expected: /^\? [^]* whole$/,
    },
    {
      name: `a RepoTag with ${what}`,
      made: `RepoTags ${JSON.stringify(name.slice(0, 40))}`,
      make: () => tar(dockerOf(one, name)),
      expected: /^\? [^]* whole$/,
    },
  ],
)
