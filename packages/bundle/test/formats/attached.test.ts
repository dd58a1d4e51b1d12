import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {openTar} from '../fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  indexJson,
  OCI_LAYOUT,
  ociIndex,
  ociManifest,
  part,
} from '../fixtures/parts.js'
import {amd64} from '../fixtures/pause.js'

const sbom = ociManifest({
  config: config(),
  layers: [part('sbom')],
  more: {subject: descriptor(mediaTypes.ociManifest, amd64.manifest)},
})
const signature = ociManifest({config: config(), layers: [part('signature')]})
const referrers = ociIndex([descriptor(mediaTypes.ociManifest, sbom)])
const TAG = `sha256-${amd64.manifest.hex}`

function tagged(tag: string) {
  return {annotations: {'org.opencontainers.image.ref.name': tag}}
}

/** A layout as regctl copies an image into it, with all that belongs to it. */
function layout(...manifests: readonly object[]) {
  return openTar([
    ...amd64.blobs,
    ...[sbom, signature, referrers].map((of) => blobEntry(of)),
    indexJson([descriptor(mediaTypes.ociManifest, amd64.manifest, tagged('v1')), ...manifests]),
    OCI_LAYOUT,
  ])
}

test('the index under a tag of the referrers tag schema is the referrers that it lists', async () => {
  await using bundle = await layout(descriptor(mediaTypes.ociIndex, referrers, tagged(TAG)))
  expect(bundle.images.slice(1)).toEqual([
    {
      shownAs: TAG,
      root: {manifest: expect.objectContaining({digest: sbom.digest})},
      subject: amd64.manifest.digest,
    },
  ])
})

test('a manifest under a tag of cosign is a referrer that keeps its tag', async () => {
  const tag = `${TAG}.sig`
  await using bundle = await layout(descriptor(mediaTypes.ociManifest, signature, tagged(tag)))
  expect(bundle.images.slice(1)).toEqual([
    {
      shownAs: tag,
      root: {manifest: expect.objectContaining({digest: signature.digest})},
      subject: amd64.manifest.digest,
      attachedAs: tag,
    },
  ])
})

test.each([
  ['an image under a tag of the schema', signature, mediaTypes.ociManifest, TAG],
  ['an index under a tag whose digest was cut', referrers, mediaTypes.ociIndex, `sha512-${'a'.repeat(64)}`],
])('%s is an image of its own', async (_what, root, mediaType, tag) => {
  await using bundle = await layout(descriptor(mediaType, root, tagged(tag)))
  expect(bundle.images[1]).toMatchObject({shownAs: tag, root: {manifest: {digest: root.digest}}})
  expect(bundle.images[1]).not.toHaveProperty('subject')
})
