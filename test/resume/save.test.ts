import {createHash} from 'node:crypto'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage, seededRandom, startMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene} from '../e2e/save.js'

const TRIALS = 4
const LONGEST = 2500

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** Blobs that a killed run has left as a whole. */
async function arrivedIn(partial: string): Promise<readonly string[]> {
  return readdir(join(partial, 'blobs', 'sha256')).catch(() => [])
}

test('a save that is killed at any moment ends with the same bytes, and asks for no whole blob again', async () => {
  await using scene = await saveScene()
  const references: string[] = []
  for (const index of [1, 2, 3]) {
    const image = await makeImage({seed: `killed-${index}`, content: 'random', layerSize: 200_000, layers: 3})
    references.push(await scene.add(`team/app${index}:v1`, image))
  }
  const list = await scene.list(...references)
  const whole = await sha256(await scene.saved(list, 'whole.tar.xz'))
  const seed = Date.now()
  const random = seededRandom(String(seed))
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const name = `out${trial}.tar.xz`
    const flags = ['--images', list, '--output', scene.path(name), '--source-plain-http', '--quiet']
    const slow = ['--source-limit-rate', '1M', '--source-concurrency', '2']
    const child = await startMirror(['save', ...flags, ...slow], {home: scene.directory})
    const wait = Math.floor(random() * LONGEST)
    await new Promise((resolve) => {
      setTimeout(resolve, wait)
    })
    child.kill('SIGKILL')
    await child.result
    const arrived = await arrivedIn(scene.path(`${name}.partial`))
    const isDone = (await readdir(scene.directory)).includes(name)
    scene.source.clearLog()
    const {code, stderr} = await scene.save(['--images', list, '--output', scene.path(name)])
    expect({seed, wait, code, stderr}).toMatchObject({code: 0})
    expect({seed, wait, sum: await sha256(scene.path(name))}).toEqual({seed, wait, sum: whole})
    const fetched = scene.source.requests.filter(({kind}) => kind === 'blob-get').map(({path}) => path)
    const again = isDone ? [] : fetched.filter((path) => arrived.some((hex) => path.includes(hex)))
    expect({seed, wait, again}).toEqual({seed, wait, again: []})
  }
})
