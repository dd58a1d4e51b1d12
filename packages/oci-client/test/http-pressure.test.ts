import {describe, expect, test} from 'vitest'
import {hostGates, type HostCondition} from '#src/http/host-gates.js'
import {noPressure, pressureAfter, roomIn, type Observation, type Pressure} from '#src/http/pressure.js'
import {patienceOf, retryDecision, type RetryDecision, type RetryFailure} from '#src/http/retry.js'
import type {HttpRequest, HttpResponse, Send} from '#src/http/send.js'
import {sleep} from '#src/http/sleep.js'
import {MirrorError} from '#src/model/index.js'
import {failureOf, get} from './http-loopback.js'

const BOUNDS = {most: 9, longestPause: 300_000, patience: 300_000}

type Event = Partial<Observation> & Pick<Observation, 'ending'>

/** An event a second, each about a request that was sent just before it. */
function after(events: readonly Event[]): Pressure {
  return events.reduce<Pressure>((pressure, event, index) => {
    const now = (index + 1) * 1000
    return pressureAfter(pressure, {startedAt: now - 1, now, active: 9, ...event}, BOUNDS)
  }, noPressure(BOUNDS))
}

function times(count: number, event: Event): readonly Event[] {
  return Array.from({length: count}, () => event)
}
const fine: Event = {ending: 'fine'}
const busy: Event = {ending: 'busy'}
const away: Event = {ending: 'away'}

describe('the requests at once', () => {
  test.each<[string, readonly Event[], number]>([
    ['are all there may be, at first', [], 9],
    ['stay so while all is well', times(50, fine), 9],
    ['are halved by a 429', [busy], 4],
    ['are halved from what was under way, where that was less', [{...busy, active: 4}], 2],
    ['are halved again by the next', [busy, busy], 2],
    ['never go below one', times(9, busy), 1],
    ['are halved once for what was under way together', [busy, ...times(8, {...busy, startedAt: 1})], 4],
    ['are not raised by what was under way before', [busy, ...times(40, {...fine, startedAt: 1})], 4],
    ['are one more after as many successes', [busy, ...times(5, fine)], 5],
    ['come back in full', [busy, ...times(40, fine)], 9],
    ['are left alone by a 500', [{ending: 'answered'}], 9],
    ['are left alone by a broken connection', [{ending: 'broken'}], 9],
    ['are halved by one gateway error', [fine, away], 4],
    ['are one that looks, after two misses', [fine, away, away], 1],
    ['are few, when a host is back', [fine, away, away, fine], 2],
    ['are more and more from then on', [fine, away, away, ...times(40, fine)], 9],
  ])('%s', (_name, events, expected) => {
    expect(roomIn(after(events), 1e5, BOUNDS)).toBe(expected)
  })
})

describe('the pause', () => {
  test.each<[string, readonly Event[], number]>([
    ['is none at first', [], 0],
    ['is none for a 429 without Retry-After', [busy], 1000],
    ['is what Retry-After asks for', [{...busy, asked: 7000}], 8000],
    [
      'is the longest of several',
      [
        {...busy, asked: 7000},
        {...busy, asked: 1000},
      ],
      8000,
    ],
    ['is none where more is asked for than may be waited', [{...busy, asked: 300_001}], 0],
    ['is asked for by old requests, too', [busy, {...busy, asked: 5000, startedAt: 1}], 7000],
    ['is none after one miss', [fine, away], 0],
    ['is a second after two', [fine, away, away], 4000],
    ['is doubled by the next', [fine, away, away, away], 6000],
    ['is ten seconds at the most', [fine, ...times(20, away)], 31_000],
    ['is not for a host that never answered', times(20, away), 0],
  ])('%s', (_name, events, until) => {
    expect(after(events).pausedUntil).toBe(until)
  })

  test('a limiter spaces requests out by no more than the longest pause', () => {
    const gapWith = (longestPause: number): number => {
      let pressure = after([fine])
      for (let now = 2000; now <= 10_000; now += 1000) {
        const refused = {ending: 'refused', startedAt: now - 1, now, active: 1} as const
        pressure = pressureAfter(pressure, refused, {...BOUNDS, longestPause})
      }
      return pressure.gap
    }
    expect([gapWith(20), gapWith(300_000)]).toEqual([20, 5000])
  })

  test('ends when a host was gone for too long: everybody is to hear of it', () => {
    const gone = after([fine, away, away])
    expect(roomIn(gone, 2000 + 299_999, BOUNDS)).toBe(1)
    expect(roomIn(gone, 2000 + 300_000, BOUNDS)).toBe(Infinity)
  })
})

function answer(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    header: (name) => headers[name],
    headers: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    url: get('http://r').url,
    body: (async function* () {})(),
    read: () => Promise.resolve(new Uint8Array()),
    discard: () => Promise.resolve(),
  }
}

/** Holds every request until it is told how it ends. */
function held(): {readonly send: Send; readonly end: ((with_: number | Error) => void)[]} {
  const end: ((with_: number | Error) => void)[] = []
  const send: Send = () =>
    new Promise((resolve, reject) => {
      end.push((outcome) => {
        if (outcome instanceof Error) reject(outcome)
        else resolve(answer(outcome))
      })
    })
  return {send, end}
}

function stream(): HttpRequest {
  return get('http://r', {method: 'PATCH', body: {stream: (async function* () {})(), length: 0}})
}
function turn(): Promise<void> {
  return sleep(0)
}
function refused(): MirrorError {
  return new MirrorError('UNREACHABLE', 'refused', {
    cause: Object.assign(new Error('refused'), {code: 'ECONNREFUSED'}),
  })
}

describe('a gate', () => {
  test('lets as many streams through as there is room for, and small requests past them', async () => {
    const {send, end} = held()
    const {gated} = hostGates({...BOUNDS, most: 3})
    const pass = gated(send)
    const all = [...Array.from({length: 5}, stream), ...Array.from({length: 4}, () => get('http://r'))].map(
      pass,
    )
    await turn()
    expect(end).toHaveLength(4)
    for (let next = 0; next < 9; next++) {
      end[next]?.(200)
      await turn()
    }
    expect((await Promise.all(all)).map(({status}) => status)).toEqual(Array.from({length: 9}, () => 200))
  })

  test('keeps everybody for as long as one was told, and no other host', async () => {
    let asked = 0
    const send: Send = (request) =>
      Promise.resolve(
        request.url.origin === 'http://r' && ++asked === 1 ? answer(429, {'retry-after': '1'}) : answer(200),
      )
    let clock = 5000
    const {gated, conditionOf} = hostGates(BOUNDS, {now: () => clock})
    const pass = gated(send)
    await pass(get('http://r'))
    expect(conditionOf('http://r').pausedFor).toBe(1000)
    await pass(get('http://other'))
    clock += 999
    const kept = Promise.all([pass(get('http://r')), pass(stream())])
    await turn()
    expect(asked).toBe(1)
    clock += 1
    await kept
    expect(asked).toBe(3)
  })

  test('lets one look whether a host is back that was gone, for all', async () => {
    let back = false
    let asked = 0
    const send: Send = () => {
      asked += 1
      return back ? Promise.resolve(answer(200)) : Promise.reject(refused())
    }
    const {gated, conditionOf} = hostGates({...BOUNDS, longestPause: 20})
    const pass = gated(send)
    back = true
    await pass(get('http://r'))
    back = false
    asked = 0
    for (const _ of [1, 2]) await failureOf(pass(get('http://r')))
    expect(conditionOf('http://r').outage?.lasts).toBeGreaterThanOrEqual(0)
    const waiting = Array.from({length: 20}, () => pass(get('http://r')).catch((error: unknown) => error))
    expect(asked).toBe(2)
    await sleep(10)
    back = true
    const ends = await Promise.all(waiting)
    expect(ends.filter((one) => one instanceof Error).length).toBeLessThanOrEqual(1)
    expect(conditionOf('http://r').outage).toBeUndefined()
  })

  test('is left by whoever is aborted while it waits', async () => {
    const {send, end} = held()
    const pass = hostGates({...BOUNDS, most: 1}).gated(send)
    const first = pass(stream())
    const abort = new AbortController()
    const second = failureOf(pass({...stream(), signal: abort.signal}))
    const third = pass(stream())
    abort.abort()
    expect((await second).code).toBe('CANCELLED')
    end[0]?.(200)
    await first
    await turn()
    end[1]?.(202)
    expect((await third).status).toBe(202)
    expect(end).toHaveLength(2)
  })
})

describe('the retries of a host that is watched', () => {
  const up = {answered: true, outage: undefined, pausedFor: 0}
  const gone = (lasts: number, since = 7): HostCondition => ({...up, outage: {since, lasts}})
  const POLICY = {retries: 5, maxWait: 300_000}
  const NOW = new Date('2026-01-01T00:00:00Z')
  const refused = new MirrorError('UNREACHABLE', 'refused', {
    cause: Object.assign(new Error(), {code: 'ECONNREFUSED'}),
  })
  test.each<[string, Partial<RetryFailure>, RetryDecision | undefined]>([
    ['never answered: once more', {attempt: 1, host: {...up, answered: false}}, {wait: 1000, counts: true}],
    ['never answered: no third time', {attempt: 2, host: {...up, answered: false}}, undefined],
    [
      'never answered for itself: a status counts like any other',
      {attempt: 5, error: undefined, status: 503, host: {...up, answered: false}},
      {wait: 16_000, counts: true},
    ],
    ['is gone: that is one attempt', {attempt: 5, host: gone(0)}, {wait: 10_000, counts: true}],
    ['is gone again: that is another', {attempt: 6, host: gone(0, 8), outage: 7}, undefined],
    [
      'is still gone: that costs time alone',
      {attempt: 6, host: gone(200_000), outage: 7},
      {wait: 10_000, counts: false},
    ],
    ['is gone for as long as anybody waits', {attempt: 1, host: gone(300_000)}, undefined],
    [
      'asks everybody to wait: so does this',
      {attempt: 1, host: {...up, pausedFor: 7000.2}},
      {wait: 7001, counts: true},
    ],
  ])('%s', (_name, failure, expected) => {
    expect(retryDecision({attempt: 1, error: refused, now: NOW, random: 0.5, ...failure}, POLICY)).toEqual(
      expected,
    )
  })

  test('is not waited for without retries', () => {
    const failure = {attempt: 1, error: refused, now: NOW, random: 0.5, host: gone(10)}
    expect(retryDecision(failure, {retries: 0, maxWait: 300_000})).toBeUndefined()
  })

  test.each([
    [{retries: 5, maxWait: 300_000}, 300_000],
    [{retries: 5, maxWait: 1000}, 5000],
    [{retries: 5, maxWait: 10_000}, 28_750],
    [{retries: 1, maxWait: 20}, 20],
  ])('is waited for, by %j, for %d ms', (policy, patience) => {
    expect(patienceOf(policy)).toBe(patience)
  })
})
