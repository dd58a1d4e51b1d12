import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage, makeLayers, ociLayout, seededRandom, writeDirectory} from '../kit/index.js'
import type {Fixture} from './sync-sides.js'

/** Two layers that every image has. */
const BASE_SIZE = 200_000

/** Images of a few KiB to 100 KiB on a shared base, as an OCI layout: many small services of one team. */
export async function makeSmallImages(directory: string, count: number): Promise<Fixture> {
  const base = await makeLayers({seed: 'small base', layerSize: BASE_SIZE, content: 'random'})
  const random = seededRandom('small images')
  const images = []
  for (let index = 0; index < count; index += 1) {
    const layerSize = Math.round(3000 + random() * 97_000)
    const image = await makeImage({
      seed: `small ${index}`,
      base,
      layers: 1,
      layerSize,
      content: 'random',
    })
    images.push({image, annotations: {'io.containerd.image.name': `docker.io/bench/small${index}:v1`}})
  }
  const layout = join(directory, 'layout')
  await rm(layout, {recursive: true, force: true})
  await writeDirectory(layout, ociLayout(images))
  return {layout, names: images.map((_, index) => `bench/small${index}:v1`)}
}
