import {describe, expect, test} from 'vitest'
import * as fc from 'fast-check'
import {fold, nothingYet, progressOf, type Progress} from '#src/render/fold.js'
import {blob, ended, folded, plan, refused, type Timed} from './render-fixtures.js'

describe('what events come to', () => {
  test.each<[string, readonly Timed[], number, Partial<Progress>]>([
    ['nothing yet', [], 0, {sent: 0, done: 0, total: undefined, fraction: undefined}],
    ['an empty plan is done with its images', [[0, plan(0, 0)]], 0, {total: 0, fraction: 1}],
    [
      'bytes under way count',
      [
        [0, plan(200)],
        [1, blob('a', 'progress', 50)],
      ],
      1,
      {sent: 50, done: 50, fraction: 0.25},
    ],
    [
      'a retry lowers the figure, and nothing has to be undone',
      [
        [0, plan(200)],
        [1, blob('a', 'progress', 90)],
        [2, blob('a', 'progress', 10)],
      ],
      2,
      {sent: 10, done: 10},
    ],
    [
      'blobs that are mounted or there already leave the plan; those that were given up are behind us',
      [
        [0, plan(400)],
        [1, blob('a', 'uploaded', 100)],
        [2, blob('b', 'mounted')],
        [3, blob('c', 'present')],
        [4, blob('d', 'failed', 70)],
      ],
      4,
      {sent: 100, done: 200, total: 200, fraction: 0.9999},
    ],
    [
      'a plain layer is smaller on the wire than in the plan',
      [
        [0, plan(100)],
        [1, blob('a', 'started')],
        [2, blob('a', 'uploaded', 40)],
      ],
      2,
      {sent: 40, done: 100, fraction: 0.9999},
    ],
    [
      'a layer that did not compress is no more than the plan said',
      [
        [0, plan(100)],
        [1, blob('a', 'progress', 110)],
      ],
      1,
      {sent: 110, done: 100, fraction: 0.9999},
    ],
    [
      'what is sent once more does not go beyond the whole',
      [
        [0, plan(100)],
        [1, blob('a', 'uploaded', 100)],
        [2, blob('a', 'progress', 50)],
      ],
      2,
      {sent: 150, done: 100, fraction: 0.9999},
    ],
    [
      'no rate in the first moments',
      [
        [0, plan(100)],
        [100, blob('a', 'progress', 50)],
      ],
      100,
      {rate: undefined, left: undefined},
    ],
    [
      'rate and time left',
      [
        [0, plan(1000)],
        [1000, blob('a', 'progress', 100, 1000)],
      ],
      4000,
      {rate: 25, left: 36_000},
    ],
    [
      'no time left before three seconds of data',
      [
        [0, plan(1000)],
        [1000, blob('a', 'progress', 100, 1000)],
      ],
      3999,
      {left: undefined},
    ],
    [
      'the time before the first byte does not make the link look slower',
      [
        [0, plan(1000)],
        [60_000, blob('a', 'started', 0, 1000)],
        [61_000, blob('a', 'progress', 100, 1000)],
        [64_000, blob('a', 'progress', 400, 1000)],
      ],
      64_000,
      {rate: 100, left: 6000},
    ],
    [
      'time left is measured in the plan, the rate on the wire',
      [
        [0, plan(300)],
        [1000, blob('a', 'uploaded', 25)],
      ],
      4000,
      {rate: 6.25, left: 8000},
    ],
    [
      'a stall: the rate falls to nothing and nobody can tell the time left',
      [
        [0, plan(1000)],
        [1000, blob('a', 'progress', 100, 1000)],
      ],
      60_000,
      {rate: 0, left: undefined},
    ],
    [
      'mounts do not make the link look faster',
      [
        [0, plan(1000)],
        [500, blob('a', 'progress', 10)],
        [1000, blob('b', 'mounted', 0, 500)],
      ],
      4000,
      {rate: 2.5, total: 500, left: 196_000},
    ],
  ])('%s', (_, events, now, expected) => {
    expect(progressOf(folded(events), {now})).toMatchObject(expected)
  })

  test('with rare events, the rate is measured from the one before the last 15 s', () => {
    const events = [10_000, 16_000, 26_000].map((at): Timed => [
      at,
      blob('a', 'progress', at ** 2 / 1e3, 1e9),
    ])
    expect(progressOf(folded([[0, plan(1e9)], ...events]), {now: 26_000}).rate).toBe(36_000)
  })

  test('the rate is that of the last 15 s', () => {
    const slow = Array.from({length: 60}, (_, second): Timed => [
      second * 1000,
      blob('a', 'progress', second, 1e6),
    ])
    const fast = Array.from({length: 20}, (_, second): Timed => [
      (60 + second) * 1000,
      blob('a', 'progress', 60 + second * 1000, 1e6),
    ])
    const {rate} = progressOf(folded([[0, plan(1e6)], ...slow, ...fast]), {now: 79_000})
    expect(rate).toBeCloseTo(1000, 0)
  })

  test('images and the last retry', () => {
    const state = folded([
      [0, ended('a:1')],
      [0, refused('b:1')],
      [5, {type: 'retry', what: 'host', wait: 100, reason: '503'}],
    ])
    expect(state.images).toEqual({done: 1, failed: 1})
    expect(state.retry).toEqual({what: 'host', reason: '503', until: 105})
  })

  test('no event changes the state before it, and 100,000 blobs leave nothing behind', () => {
    const before = folded([
      [0, plan(1e7)],
      [1, blob('x', 'progress', 1)],
    ])
    const copy = structuredClone(before)
    let state = before
    for (let index = 0; index < 100_000; index++) {
      state = fold(state, blob(`k${index}`, 'started'), {now: index * 10})
      state = fold(state, blob(`k${index}`, 'uploaded', 100), {now: index * 10 + 5})
    }
    expect(before).toEqual(copy)
    expect(state.active.size).toBe(1)
    expect(state.samples.length).toBeLessThan(40)
    expect(state.sent).toBe(1e7)
  })

  test('a repeated blob that is mounted neither fills the bar nor stretches it; one that is sent joins the work', () => {
    const mounted = folded([
      [0, plan(100)],
      [1, blob('b', 'started', 0, 900, 0)],
      [2, blob('b', 'mounted', 0, 900, 0)],
      [3, blob('a', 'progress', 50)],
    ])
    expect(progressOf(mounted, {now: 3})).toMatchObject({done: 50, total: 100, fraction: 0.5})
    const sent = folded([
      [0, plan(100)],
      [1, blob('b', 'progress', 100, 300, 0)],
    ])
    expect(progressOf(sent, {now: 1})).toMatchObject({done: 100, total: 400, fraction: 0.25})
  })

  test('over random plans with shared blobs the bar never goes back, is full only at the end, and tells the time', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({size: fc.integer({min: 1, max: 400}), repeats: fc.nat(3), isThere: fc.boolean()}),
          {
            minLength: 4,
            maxLength: 30,
          },
        ),
        (blobs) => {
          const steps = steadyRun(blobs)
          const end = steps.at(-1)?.[0] ?? 0
          let state = nothingYet
          let before = 0
          for (const [index, [now, event]] of steps.entries()) {
            state = fold(state, event, {now})
            const {fraction = 0, done, total = 0, left} = progressOf(state, {now})
            expect(fraction).toBeGreaterThanOrEqual(before)
            expect(done).toBeLessThanOrEqual(total)
            expect(index === steps.length - 1 || fraction < 1).toBe(true)
            before = fraction
            const isSteady = now > end / 2 && end - now > 15_000 && end > 60_000
            const ratio = isSteady && left !== undefined ? left / (end - now) : 1
            expect(ratio).toBeGreaterThan(1 / 1.5)
            expect(ratio).toBeLessThan(1.5)
          }
          expect(before).toBe(1)
        },
      ),
    )
  })
})

interface SimulatedBlob {
  readonly size: number
  readonly repeats: number
  readonly isThere: boolean
}

/** A run at ten bytes a second: a blob after another is found there or sent, and then mounted for each repetition. */
function steadyRun(blobs: readonly SimulatedBlob[]): readonly Timed[] {
  const steps: Timed[] = [
    [
      0,
      plan(
        blobs.reduce((sum, {size}) => sum + size, 0),
        1,
      ),
    ],
  ]
  let at = 0
  // Answers that a blob is there come early, since nothing is sent for them.
  for (const [index, {size, isThere}] of blobs.entries())
    if (isThere) steps.push([at, blob(`a${index}`, 'present', 0, size)])
  for (const [index, {size, repeats, isThere}] of blobs.entries()) {
    if (!isThere) {
      steps.push([at, blob(`a${index}`, 'started', 0, size)])
      for (let sent = 0; sent < size; sent += 10) {
        at += 1000
        steps.push([at, blob(`a${index}`, 'progress', Math.min(size, sent + 10), size)])
      }
      steps.push([at, blob(`a${index}`, 'uploaded', size, size)])
    }
    for (let repeat = 0; repeat < repeats; repeat += 1)
      steps.push([at, blob(`r${index}.${repeat}`, 'mounted', 0, size, 0)])
  }
  return [...steps, [at, ended('a:1')]]
}
