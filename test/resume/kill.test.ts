import {randomUUID} from 'node:crypto'
import type {Digest} from '@airgap-mirror/oci-client/model'
import {makeTempDir, seededRandom, type TempDir, timesTried} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {largeIn, makeBundles, type Bundle} from './bundles.js'
import {tryToPush, type Moment, type Trial} from './trial.js'

/** Runs that reach their end before they are killed are not counted. */
const KILLS = timesTried(20)
/** The number of times that a push is killed before it is let alone. */
const KILLS_IN_A_ROW = 4
const AT_ONCE = 2
const LONGEST_DELAY = 150
/** Milliseconds until the test hangs: some fifty starts of the program take minutes on a machine that has other work. */
const PATIENCE = 1_200_000

const seed = process.env['KILL_SEED'] ?? randomUUID()

/** With what an undisturbed push makes of it. */
interface TriedBundle {
  readonly bundle: Bundle
  readonly reference: Trial
}

let directory: TempDir
let bundles: readonly TriedBundle[]

beforeAll(async () => {
  directory = await makeTempDir()
  const tried = (await makeBundles(directory.path)).map(async (bundle) => {
    const reference = await tryToPush({source: bundle.source, uploads: 'resumable', moments: []})
    return {bundle, reference}
  })
  bundles = await Promise.all(tried)
})
afterAll(() => directory.remove())

function digestsIn({registry}: Trial): readonly (Digest | undefined)[] {
  return [0, 1].map((index) => registry.manifest(`team/image${index}`, 'v1')?.digest)
}

function isContinued({requests}: Trial['runs'][number]): boolean {
  return requests.some(({kind}) => kind === 'status')
}

test(
  `a push that is killed at ${KILLS} random moments ends as if it had not been, and sends nothing twice`,
  async () => {
    process.stdout.write(`KILL_SEED=${seed}\n`)
    const random = seededRandom(seed)
    const figures = {pushes: 0, kills: 0, continued: 0, bytesTwice: 0}

    const tryOnce = async (): Promise<void> => {
      const tried = bundles[figures.pushes++ % bundles.length]
      if (tried === undefined) throw new Error('no bundle')
      const {bundle, reference} = tried
      const requests = reference.runs[0]?.requests.length ?? 0
      const moments = Array.from({length: KILLS_IN_A_ROW}, (): Moment => {
        const nth = 1 + Math.floor(random() * requests)
        return {nth, delay: Math.floor(random() ** 2 * LONGEST_DELAY)}
      })
      const trial = await tryToPush({source: bundle.source, uploads: 'resumable', moments})
      figures.kills += trial.runs.filter(({killed}) => killed).length
      figures.continued += trial.runs.filter(isContinued).length
      figures.bytesTwice += trial.bytes - reference.bytes

      const {size} = largeIn(reference)
      expect({seed, bundle: bundle.name, moments, ...outcomeOf(trial)}).toEqual({
        seed,
        bundle: bundle.name,
        moments,
        code: 0,
        digests: digestsIn(reference),
        large: {size, received: size},
        sentAgain: [],
        faults: [],
      })
    }
    const worker = async (): Promise<void> => {
      while (figures.kills < KILLS && figures.pushes < KILLS) await tryOnce()
    }
    await Promise.all(Array.from({length: AT_ONCE}, worker))

    process.stdout.write(`${JSON.stringify(figures)}\n`)
    expect(figures.kills).toBeGreaterThanOrEqual(KILLS)
    expect(figures.continued).toBeGreaterThan(0)
    // Manifests may be put again, blobs never.
    expect(figures.bytesTwice / figures.kills).toBeLessThan(2000)
  },
  PATIENCE,
)

function outcomeOf(trial: Trial): object {
  return {
    code: trial.runs.at(-1)?.code,
    digests: digestsIn(trial),
    large: largeIn(trial),
    sentAgain: trial.sentAgain,
    faults: trial.faults,
  }
}
