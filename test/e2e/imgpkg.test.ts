import {join} from 'node:path'
import {imagesInLock, imgpkgBundle, imgpkgTar, makeImage, makeTempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {expect, test} from 'vitest'
import {faultsIn, push, writeBundle} from './push.js'

test('a bundle of imgpkg goes into one repository, in which imgpkg finds the images of its lock file', async () => {
  await using directory = await makeTempDir()
  const registry = await startRegistry()
  try {
    const images = await Promise.all(['web', 'db'].map((seed) => makeImage({seed})))
    const refs = images.map(
      ({root}, index) => `index.docker.io/acme/image-${index}@${root.descriptor.digest}`,
    )
    const bundle = await imgpkgBundle(refs)
    const bundleRef = `registry.example/apps/shop@${bundle.root.descriptor.digest}`
    const source = await writeBundle(
      join(directory.path, 'shop.tar'),
      imgpkgTar([
        ...images.map((image, index) => ({image, ref: refs[index] ?? ''})),
        {image: bundle, ref: bundleRef, tag: '1.0.0'},
      ]),
    )
    const result = await push({source, registry, namespace: 'mirror', flags: ['--rewrite', '^.*$=apps/shop']})
    expect([result.code, result.report.images.map(({target}) => target)]).toEqual([
      0,
      [
        ...images.map(({root}) => `${registry.host}/mirror/apps/shop@${root.descriptor.digest}`),
        `${registry.host}/mirror/apps/shop:1.0.0@${bundle.root.descriptor.digest}`,
      ],
    ])
    // imgpkg pull: the lock file in the one layer of the bundle, then each of its digests in the bundle's repository.
    const repository = `${registry.url}/v2/mirror/apps/shop`
    const accept = 'application/vnd.docker.distribution.manifest.v2+json'
    const answer = await fetch(`${repository}/manifests/1.0.0`, {headers: {accept}})
    const {layers} = (await answer.json()) as {readonly layers: readonly {readonly digest: string}[]}
    const layer = await fetch(`${repository}/blobs/${layers[0]?.digest}`)
    const locked = imagesInLock(new Uint8Array(await layer.arrayBuffer()))
    expect(locked).toEqual(refs)
    for (const ref of locked) {
      const digest = ref.slice(ref.indexOf('@') + 1)
      const found = await fetch(`${repository}/manifests/${digest}`, {
        method: 'HEAD',
        headers: {accept: 'application/vnd.oci.image.manifest.v1+json'},
      })
      expect([found.status, found.headers.get('docker-content-digest')]).toEqual([200, digest])
    }
    expect(faultsIn(registry)).toEqual([])
  } finally {
    await registry.close()
  }
})
