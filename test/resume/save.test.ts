import {createHash} from 'node:crypto'
import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage, seededRandom, startMirror, type Child} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene} from '../e2e/save.js'
import {until} from '../e2e/until.js'

const SEQUENCES = 5
/** Kills of one sequence, one run after the other. */
const KILLS = 4

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/** Blobs that a killed run has left as a whole. */
async function arrivedIn(partial: string): Promise<readonly string[]> {
  return readdir(join(partial, 'blobs', 'sha256')).catch(() => [])
}

test('a save that is killed at any of 20 moments ends with the same bytes, and asks for no whole blob again', async () => {
  await using scene = await saveScene()
  const references: string[] = []
  for (const index of [1, 2, 3]) {
    const image = await makeImage({seed: `killed-${index}`, content: 'random', layerSize: 60_000, layers: 3})
    references.push(await scene.add(`team/app${index}:v1`, image))
  }
  const list = await scene.list(...references)
  const slow = ['--source-plain-http', '--quiet', '--source-limit-rate', '1M', '--source-concurrency', '2']
  const start = (name: string): Promise<Child> =>
    startMirror(['save', '--images', list, '--output', scene.path(name), ...slow], {home: scene.directory})
  const undisturbed = await (await start('whole.tar.xz')).result
  expect(undisturbed).toMatchObject({code: 0})
  const whole = await sha256(scene.path('whole.tar.xz'))
  const seed = Date.now()
  process.stdout.write(`seed of the moments: ${seed}\n`)
  await Promise.all(
    Array.from({length: SEQUENCES}, async (_, sequence) => {
      const random = seededRandom(`${seed} ${sequence}`)
      const name = `out${sequence}.tar.xz`
      const waits: number[] = []
      for (let kill = 0; kill < KILLS; kill += 1) {
        const child = await start(name)
        const wait = Math.floor(random() * undisturbed.ms)
        waits.push(wait)
        await new Promise((resolve) => {
          setTimeout(resolve, wait)
        })
        child.kill('SIGKILL')
        await child.result
        const isWhole = !(await isThere(scene.path(name))) || (await sha256(scene.path(name))) === whole
        expect({seed, waits, isWhole}).toEqual({seed, waits, isWhole: true})
      }
      const {code, stderr} = await (await start(name)).result
      expect({seed, waits, code}, `printed: ${stderr}`).toEqual({seed, waits, code: 0})
      expect({seed, waits, sum: await sha256(scene.path(name))}).toEqual({seed, waits, sum: whole})
    }),
  )
})

test('a save that was killed asks for no whole blob again', async () => {
  await using scene = await saveScene()
  const image = await makeImage({seed: 'killed-once', content: 'random', layerSize: 300_000, layers: 4})
  const list = await scene.list(await scene.add('team/app:v1', image))
  const flags = [
    'save',
    '--images',
    list,
    '--output',
    scene.path('out.tar'),
    '--source-plain-http',
    '--quiet',
  ]
  const slow = ['--source-limit-rate', '500K', '--source-concurrency', '1']
  const child = await startMirror([...flags, ...slow], {home: scene.directory})
  const arrived = (): Promise<readonly string[]> => arrivedIn(scene.path('out.tar.partial'))
  await until(async () => (await arrived()).length >= 2)
  child.kill('SIGKILL')
  await child.result
  const kept = await arrived()
  scene.source.clearLog()
  expect(await scene.save(['--images', list, '--output', scene.path('out.tar')])).toMatchObject({code: 0})
  const fetched = scene.source.requests.filter(({kind}) => kind === 'blob-get').map(({path}) => path)
  expect(fetched.filter((path) => kept.some((hex) => path.includes(hex)))).toEqual([])
  expect(fetched.length).toBeGreaterThan(0)
})
