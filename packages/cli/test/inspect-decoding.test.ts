import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {compress, makeManifest, tarBytes, withTempDir} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectPath} from './inspect-kit.js'

const BLOCK = 64 * 1024
const LAYER = 8 * 1024 * 1024

/** A layout in xz blocks, most of which lie within one layer. */
async function bigLayerBundle(): Promise<{readonly packed: Uint8Array; readonly withHeaders: number}> {
  const layer = Buffer.alloc(LAYER, 'layer')
  const config = Buffer.from(JSON.stringify({os: 'linux', architecture: 'amd64', rootfs: {diff_ids: []}}))
  const blobOf = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const manifest = makeManifest(
    {
      schemaVersion: 2,
      config: blobOf(config, mediaTypes.ociConfig),
      layers: [blobOf(layer, mediaTypes.ociLayer)],
    },
    {mediaType: mediaTypes.ociManifest},
  )
  const pathOf = (bytes: Uint8Array): string => `blobs/sha256/${digestOf(bytes).slice('sha256:'.length)}`
  const annotations = {'io.containerd.image.name': 'quay.io/a/b:v1'}
  const tar = await tarBytes([
    {path: pathOf(config), bytes: config},
    {path: pathOf(layer), bytes: layer},
    {path: pathOf(manifest.bytes), bytes: manifest.bytes},
    {
      path: 'index.json',
      bytes: Buffer.from(
        JSON.stringify({schemaVersion: 2, manifests: [{...manifest.descriptor, annotations}]}),
      ),
    },
    {path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}')},
  ])
  const start = Buffer.from(tar).indexOf(layer)
  const inside = Math.floor((start + LAYER) / BLOCK) - Math.ceil(start / BLOCK)
  return {
    packed: await compress(tar, {type: 'xz', blockSize: BLOCK}),
    withHeaders: tar.length - inside * BLOCK,
  }
}

test('of an xz archive in blocks only those with headers and manifests are decoded, and none the second time', () =>
  withTempDir(async (directory) => {
    const path = join(directory, 'bundle.tar.xz')
    const {packed, withHeaders} = await bigLayerBundle()
    await writeFile(path, packed)
    // A file that was changed a moment ago is not remembered, for it could be changed again unseen.
    await setTimeout(80)
    const stateDirectory = join(directory, 'state')
    const first = await inspectPath(path, {stateDirectory})
    expect(first.totals.decodedBytes).toBeGreaterThan(0)
    // The reader decodes a block more, because at the first header it does not know yet if it will need the next.
    expect(first.totals.decodedBytes).toBeLessThanOrEqual(withHeaders + BLOCK)
    expect(withHeaders).toBeLessThan(LAYER / 4)
    const again = await inspectPath(path, {stateDirectory})
    expect(again.totals.decodedBytes).toBe(0)
    expect(again).toEqual({...first, totals: {...first.totals, decodedBytes: 0}})
  }))
