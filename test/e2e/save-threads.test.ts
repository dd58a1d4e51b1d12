import {readFile} from 'node:fs/promises'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {makeImage, tarBytes, type TestLayer} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {saveScene, type SaveScene} from './save.js'
import {readTrace, spans} from './trace.js'

const MiB = 1024 * 1024

/** Returns a plain layer of zeros, which xz encodes quickly. */
async function layerOfZeros(size: number): Promise<TestLayer> {
  const bytes = await tarBytes([{path: 'data/zeros', bytes: Buffer.alloc(size)}])
  const digest = digestOf(bytes)
  const descriptor = {mediaType: mediaTypes.ociLayer, digest, size: bytes.length}
  return {bytes, plain: bytes, descriptor, diffId: digest}
}

async function traced(scene: SaveScene, {list, flags = []}: {list: string; flags?: readonly string[]}) {
  const trace = scene.path('trace.json')
  const path = await scene.saved(list, 'bundle.tar.xz', [...flags, '--trace', trace])
  const blocks = spans(await readTrace(trace), 'compression').map(({ts = 0, dur = 0}) => ({
    ts,
    end: ts + dur,
  }))
  const atOnce = blocks.map(({ts}) => blocks.filter((other) => other.ts <= ts && ts < other.end).length)
  return {sum: digestOf(await readFile(path)), atOnce: Math.max(...atOnce)}
}

test('save packs more blocks of xz at once with --threads 4 than without, and writes the same bytes', async () => {
  await using scene = await saveScene()
  const image = await makeImage({seed: 'threads', layers: 1, base: [await layerOfZeros(50 * MiB)]})
  const list = await scene.list(await scene.add('team/app:v1', image))
  const [usual, four] = [await traced(scene, {list}), await traced(scene, {list, flags: argv`--threads 4`})]
  expect(four.sum).toBe(usual.sum)
  expect(usual.atOnce).toBeLessThanOrEqual(2)
  expect([3, 4]).toContain(four.atOnce)
})

test.each(['0', '257', 'all'])('save refuses --threads %s before it asks a registry', async (threads) => {
  await using scene = await saveScene()
  const list = await scene.list('localhost:1/app:v1')
  const output = scene.path('bundle.tar.xz')
  const {code, stderr} = await scene.save(argv`--images ${list} --output ${output} --threads ${threads}`)
  expect({code, stderr}).toMatchObject({code: 2})
  expect(stderr).toContain(`--threads "${threads}" is not a whole number from 1 to 256`)
})
