import {digestOf, limits, mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {readManifest} from '#src/server/manifests.js'
import {Refusal} from '#src/server/refusal.js'

const descriptor = {mediaType: 'x/y', digest: digestOf(Buffer.from('x')), size: 1}
const image = {schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [descriptor]}

/** Returns the code with which a manifest is refused; undefined if it is taken. */
function refusalOf(
  json: unknown,
  {reference = 'v1', mediaType = mediaTypes.ociManifest}: {reference?: string; mediaType?: string} = {},
) {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  try {
    readManifest({reference, mediaType, bytes})
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

test('a manifest is put under a tag, or under its digest in either algorithm', () => {
  const bytes = Buffer.from(JSON.stringify(image))
  const put = (reference: string) => readManifest({reference, mediaType: image.mediaType, bytes})
  expect(put('v1')).toMatchObject({tag: 'v1', digest: digestOf(bytes)})
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const digest = digestOf(bytes, algorithm)
    expect(put(digest)).toMatchObject({tag: undefined, digest})
  }
})

test.each(['.hidden', '-x', 'a'.repeat(129), 'a b', 'ü'])(
  'a manifest is not put under %j, which is no tag',
  (tag) => {
    expect(refusalOf(image, {reference: tag})).toBe('TAG_INVALID')
  },
)

test.each([`sha256:${'0'.repeat(64)}`, 'sha256:0', 'md5:0'])(
  'a manifest is not put under %s, which is not its digest',
  (digest) => {
    expect(refusalOf(image, {reference: digest})).toBe('DIGEST_INVALID')
  },
)

test.each([
  ['that is no JSON', '{'],
  ['of another schema', {...image, schemaVersion: 1}],
  ['of another type than its header says', {...image, mediaType: mediaTypes.ociIndex}],
  ['without a config', {...image, config: undefined}],
  ['whose layers are no list', {...image, layers: {}}],
  ['with a layer of no size', {...image, layers: [{...descriptor, size: undefined}]}],
  ['with a layer of a negative size', {...image, layers: [{...descriptor, size: -1}]}],
  ['with a layer of half a byte', {...image, layers: [{...descriptor, size: 1.5}]}],
  ['with a layer of no digest', {...image, layers: [{...descriptor, digest: 'sha256:../x'}]}],
  [
    'of too many layers',
    {...image, layers: Array.from({length: limits.descriptorsPerManifest + 1}, () => 1)},
  ],
  ['with a subject of no digest', {...image, subject: {...descriptor, digest: 1}}],
])('a manifest %s is refused', (_what, json) => {
  expect(refusalOf(json)).toBe('MANIFEST_INVALID')
})

test('a media type that no registry has to know is refused', () => {
  expect(refusalOf({...image, mediaType: undefined}, {mediaType: 'text/plain'})).toBe('MANIFEST_INVALID')
})
