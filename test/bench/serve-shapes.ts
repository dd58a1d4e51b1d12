import {randomFillSync} from 'node:crypto'
import {existsSync} from 'node:fs'
import {link, mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf, hexOf, mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {makeLayers} from './real-layers.js'
import {run} from './measure.js'

export const IMAGES = 16
/** Layers of each image. */
const LAYERS = 2

/**
 * packed: random bytes, as gzipped layers are to xz. plain: files of this machine, as in the archive of docker. text: random
 * hexadecimal digits, which are the slowest to decode.
 */
export const CONTENTS = ['packed', 'plain', 'text'] as const
type ContentOfLayers = (typeof CONTENTS)[number]

/** A bundle of the same content as the others. */
export interface Shape {
  readonly name: string
  readonly path: string
}

export interface ShapeOptions {
  readonly directory: string
  readonly content: ContentOfLayers
  /** Bytes of all layers together. */
  readonly bytes: number
}

type Put = (bytes: Uint8Array, mediaType: string) => Promise<Descriptor>

/** Makes the bundles, unless an earlier run has. The first is a plain tar. */
export async function makeShapes({directory, content, bytes}: ShapeOptions): Promise<readonly Shape[]> {
  const layout = join(directory, 'layout')
  const tar = join(directory, 'layout.tar')
  await mkdir(join(layout, 'blobs/sha256'), {recursive: true})
  if (!existsSync(tar)) {
    await writeLayout(layout, {directory, content, layerBytes: Math.round(bytes / IMAGES / LAYERS)})
    await run('tar', ['--sort=name', '-C', layout, '-cf', `${tar}.part`, '.'])
    await rename(`${tar}.part`, tar)
    await rm(layout, {recursive: true})
  }
  const packed = [
    ['.tar.xz of 24 MiB blocks', 'blocks.tar.xz', 'xz -1 -T2 --block-size=24MiB -c "$0"'],
    ['.tar.xz of one block', 'single.tar.xz', 'xz -1 -T1 -c "$0"'],
    ['.tar.zst', 'one.tar.zst', 'zstd -q -3 -c "$0"'],
  ] as const
  const shapes: Shape[] = [{name: '.tar', path: tar}]
  for (const [name, file, script] of packed) {
    const path = join(directory, file)
    shapes.push({name, path})
    if (!existsSync(path)) await run('sh', ['-c', `${script} > "$1.part" && mv "$1.part" "$1"`, tar, path])
  }
  return shapes
}

async function writeLayout(
  layout: string,
  {directory, content, layerBytes}: {directory: string; content: ContentOfLayers; layerBytes: number},
): Promise<void> {
  const put: Put = async (bytes, mediaType) => {
    const digest = digestOf(bytes)
    await writeFile(join(layout, 'blobs/sha256', hexOf(digest)), bytes)
    return {mediaType, digest, size: bytes.length}
  }
  const layers =
    content === 'plain'
      ? await realLayers(layout, {directory, layerBytes})
      : await noiseLayers(put, {content, layerBytes})
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const manifests: Descriptor[] = []
  for (let index = 0; index < IMAGES; index += 1) {
    const own = layers.slice(index * LAYERS, (index + 1) * LAYERS)
    // Real clients can unpack plain layers.
    const rootfs = {type: 'layers', diff_ids: own.map(({digest}) => digest)}
    const config = await put(json({architecture: 'amd64', os: 'linux', index, rootfs}), mediaTypes.ociConfig)
    const manifest = json({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: own})
    const annotations = {'io.containerd.image.name': `docker.io/bench/app${index}:v1`}
    manifests.push({...(await put(manifest, mediaTypes.ociManifest)), annotations})
  }
  await writeFile(join(layout, 'index.json'), json({schemaVersion: 2, manifests}))
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

async function noiseLayers(
  put: Put,
  {content, layerBytes}: {content: ContentOfLayers; layerBytes: number},
): Promise<readonly Descriptor[]> {
  const layers: Descriptor[] = []
  for (let layer = 0; layer < IMAGES * LAYERS; layer += 1) {
    const noise = randomFillSync(Buffer.alloc(content === 'text' ? layerBytes >> 1 : layerBytes))
    const bytes = content === 'text' ? Buffer.from(noise.toString('hex')) : noise
    layers.push(await put(bytes, mediaTypes.ociLayerGzip))
  }
  return layers
}

async function realLayers(
  layout: string,
  {directory, layerBytes}: {directory: string; layerBytes: number},
): Promise<readonly Descriptor[]> {
  const sizes = Array.from({length: IMAGES * LAYERS}, () => layerBytes)
  const made = join(directory, 'layers')
  const layers = await makeLayers(made, sizes)
  for (const {plain, diffId} of layers) await link(plain, join(layout, 'blobs/sha256', hexOf(diffId)))
  await rm(made, {recursive: true})
  return layers.map(({diffId, plainSize}) => ({
    mediaType: mediaTypes.ociLayer,
    digest: diffId,
    size: plainSize,
  }))
}
