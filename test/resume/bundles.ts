import {join} from 'node:path'
import {dockerArchive, makeImage, makeLayers, ociLayout} from '@airgap-mirror/test/kit'
import type {Digest} from '@airgap-mirror/oci-client/model'
import {named, writeBundle} from '../e2e/push.js'
import type {Trial} from './trial.js'

export interface Bundle {
  readonly name: 'an OCI layout' | 'a docker-archive'
  readonly source: string
}

/** Enough for an upload to be written down. */
const LARGE = 9 * 1024 * 1024

/**
 * The same two images, `team/image0:v1` with one large layer and `team/image1:v1`, which share layers: with manifests and
 * for two platforms, and with plain layers that are compressed while they are pushed.
 */
export async function makeBundles(directory: string): Promise<readonly [Bundle, Bundle]> {
  const large = await makeLayers({seed: 'large', layers: 1, layerSize: LARGE, content: 'random'})
  const base = await makeLayers({seed: 'base', layers: 2, layerSize: 30_000})
  const images = await Promise.all([
    makeImage({seed: 'one', base: [...base, ...large], layers: 1}),
    makeImage({seed: 'two', base, platforms: ['linux/amd64', 'linux/arm64']}),
  ])
  const layout = ociLayout(images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)))
  const archive = dockerArchive(
    images.map((image, index) => ({image, tags: [`gcr.io/team/image${index}:v1`]})),
  )
  return [
    {name: 'an OCI layout', source: await writeBundle(join(directory, 'layout'), layout, {type: 'zstd'})},
    {
      name: 'a docker-archive',
      source: await writeBundle(join(directory, 'archive'), archive, {type: 'xz', blockSize: 4 << 20}),
    },
  ]
}

/** The blob that is large enough to be continued, and how many bytes of it were received. */
export function largeIn({registry}: Trial): {readonly size: number; readonly received: number} {
  const {bytes = Buffer.from('{}')} = registry.manifest('team/image0', 'v1') ?? {}
  const {layers = []} = JSON.parse(Buffer.from(bytes).toString()) as {
    layers?: readonly {readonly digest: Digest; readonly size: number}[]
  }
  const {digest, size} = layers.reduce((largest, layer) => (layer.size > largest.size ? layer : largest))
  return {size, received: registry.bytesReceivedOf(digest)}
}
