import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {largeIn, makeBundles, type Bundle} from './bundles.js'
import {tryToPush, type Run, type Trial} from './trial.js'

/** In the middle of the large blob, whose body takes some 100 ms. */
const IN_THE_LARGE_BLOB = [{kind: 'send', nth: 1, delay: 50}] as const

let directory: TempDir
let bundles: readonly Bundle[]

beforeAll(async () => {
  directory = await makeTempDir()
  bundles = await makeBundles(directory.path)
})
afterAll(() => directory.remove())

function sends({requests}: Run): readonly string[] {
  return requests
    .filter(({kind, bytesReceived}) => kind === 'send' && bytesReceived > 0)
    .map(({headers}) => headers['content-range'] ?? 'the rest')
}

function bytesOfSends({requests}: Run): number {
  return requests.filter(({kind}) => kind === 'send').reduce((sum, {bytesReceived}) => sum + bytesReceived, 0)
}

function warningsOf({stderr}: Run): readonly string[] {
  return stderr.split('\n').filter((line) => line.startsWith('warning'))
}

function runsOf({runs}: Trial): readonly [Run, Run] {
  const [first, second] = runs
  if (first === undefined || second === undefined) throw new Error('not killed and run again')
  expect(first.killed).toBe(true)
  return [first, second]
}

describe.each([0, 1])('a push that is killed in the middle of a large blob (bundle %i)', (index) => {
  const source = (): string => bundles[index]?.source ?? ''

  test('goes on from there in its next run', async () => {
    const trial = await tryToPush({source: source(), uploads: 'resumable', moments: IN_THE_LARGE_BLOB})

    const [first, second] = runsOf(trial)
    const {size, received} = largeIn(trial)
    const before = bytesOfSends(first)
    expect(before).toBeGreaterThan(0)
    expect(received).toBe(size)
    expect(bytesOfSends(second)).toBe(size - before)
    expect(second.requests.filter(({kind}) => kind === 'status')).toHaveLength(1)
    // A layer that is being compressed has no size to say.
    expect(sends(second)).toEqual([index === 0 ? `${before}-${size - 1}` : 'the rest'])
    expect(warningsOf(second)).toEqual([])
    expect(trial.faults).toEqual([])
  })

  test.each([
    ['forgetful', 'cannot continue a broken upload'],
    ['deleting', 'has not kept the part of a blob that an earlier run sent'],
  ] as const)('starts it again where the registry is %s, and says so once', async (uploads, warning) => {
    const trial = await tryToPush({source: source(), uploads, moments: IN_THE_LARGE_BLOB})

    const [, second] = runsOf(trial)
    expect(bytesOfSends(second)).toBe(largeIn(trial).size)
    expect(warningsOf(second)).toHaveLength(1)
    expect(warningsOf(second)[0]).toContain(warning)
    expect(second.stderr).not.toContain('_state')
    expect(trial.faults).toEqual([])
    expect(trial.sentAgain).toEqual([])
  })

  test('starts it again without a word where nothing may be remembered', async () => {
    const flags = ['--no-state']
    const trial = await tryToPush({source: source(), uploads: 'resumable', moments: IN_THE_LARGE_BLOB, flags})

    const [, second] = runsOf(trial)
    expect(bytesOfSends(second)).toBe(largeIn(trial).size)
    expect(second.requests.filter(({kind}) => kind === 'status')).toEqual([])
    expect(warningsOf(second)).toEqual([])
    expect(trial.faults).toEqual([])
  })
})
