import {expect, test} from 'vitest'
import {parseManifest} from '#src/model/index.js'

const digest = `sha256:${'a'.repeat(64)}`
const other = `sha256:${'b'.repeat(64)}`
const type = 'application/vnd.oci.image.manifest.v1+json'
const config = {mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2}
const layer = {mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: other, size: 3}
const manifest = {schemaVersion: 2, mediaType: type, config, layers: [layer]}

function parse(value: object): unknown {
  return parseManifest(Buffer.from(JSON.stringify(value)))
}

test.each([
  ['a second list of layers in another case', {...manifest, Layers: []}],
  ['a key with a long s, which folds to s', {...manifest, 'layer\u017f': []}],
  ['a digest in another case in a layer', {...manifest, layers: [{...layer, Digest: digest}]}],
  ['a platform with a key in another case', {...manifest, config: {...config, platform: {OS: 'linux'}}}],
  ['one digest with two sizes', {...manifest, layers: [layer, {...layer, size: 4}]}],
])('A manifest with %s is refused', (_name, value) => {
  expect(() => parse(value)).toThrow(expect.objectContaining({code: 'MANIFEST_INVALID'}) as Error)
})

test('A manifest may repeat a layer, and annotations may be in any case', () => {
  const annotations = {Layers: 'x', layers: 'y'}
  expect(parse({...manifest, annotations, layers: [layer, layer]})).toMatchObject({kind: 'image'})
})
