import {parseRetryAfter, timeOf} from '#src/http/retry-after.js'
import {expect, test} from 'vitest'
import {limitRate} from '#src/http/rate-limit.js'
import {logging} from '#src/http/log.js'
import {retryDecision, retrying, type RetryNotice} from '#src/http/retry.js'
import {sleep} from '#src/http/sleep.js'
import {isTransient} from '#src/http/transport-error.js'
import type {HttpRequest, HttpResponse, Send} from '#src/http/send.js'
import type {Exchange} from '#src/http/options.js'
import {MirrorError} from '#src/model/index.js'
import {failureOf, get, to} from './http-loopback.js'

const POLICY = {retries: 5, maxWait: 300_000}
const NOW = new Date('2026-01-01T00:00:00Z')
const gone = new MirrorError('UNREACHABLE', 'gone', {cause: Object.assign(new Error(), {code: 'ECONNRESET'})})

function decide(failure: {
  readonly attempt?: number
  readonly status?: number
  readonly error?: unknown
  readonly retryAfter?: string
  readonly random?: number
}): number | undefined {
  return retryDecision({attempt: 1, now: NOW, random: 0.5, ...failure}, POLICY)?.wait
}

test.each([
  [408, true],
  [425, true],
  [429, true],
  [500, true],
  [502, true],
  [503, true],
  [504, true],
  [200, false],
  [202, false],
  [307, false],
  [400, false],
  [401, false],
  [403, false],
  [404, false],
  [413, false],
  [416, false],
  [501, false],
  [507, false],
])('status %d is tried again: %s', (status, again) => {
  expect(decide({status}) !== undefined).toBe(again)
})

test('the wait doubles, spread by a quarter either way, and is over 20 s in all', () => {
  const waits = (random: number): (number | undefined)[] =>
    [1, 2, 3, 4, 5, 6].map((attempt) => decide({attempt, status: 503, random}))
  expect(waits(0.5)).toEqual([1000, 2000, 4000, 8000, 16_000, undefined])
  expect(waits(0)).toEqual([750, 1500, 3000, 6000, 12_000, undefined])
  expect(waits(0.999_999)).toEqual([1250, 2500, 5000, 10_000, 20_000, undefined])
})

test('a wait is never over the longest', () => {
  const policy = {retries: 2000, maxWait: 60_000}
  for (const attempt of [8, 40, 2000]) {
    expect(retryDecision({attempt, status: 503, now: NOW, random: 0.9}, policy)?.wait).toBe(60_000)
  }
})

test.each([
  ['7', 7350],
  [' 7 ', 7350],
  ['300', 300_000],
  ['301', undefined],
  ['99999999999999999999', undefined],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_500],
  ['Thu, 01 Jan 2026 00:05:01 GMT', undefined],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 1000],
  ['0', 1000],
  ['soon', 1000],
  ['-5', 1000],
  ['2026-01-01', 1000],
  ['', 1000],
])('Retry-After: %s', (retryAfter, wait) => {
  expect(decide({status: 429, retryAfter})).toBe(wait)
})

test.each<[string, unknown, boolean]>([
  ['a closed connection', gone, true],
  ['a timeout', new MirrorError('TIMEOUT', ''), true],
  ['an unknown name', new MirrorError('UNREACHABLE', '', {cause: coded('ENOTFOUND')}), false],
  ['a name server that is down', new MirrorError('UNREACHABLE', '', {cause: coded('EAI_AGAIN')}), true],
  ['a refusing proxy', new MirrorError('PROXY_FAILED', '', {cause: coded('PROXY_STATUS_403')}), false],
  [
    'a proxy that cannot connect',
    new MirrorError('PROXY_FAILED', '', {cause: coded('PROXY_STATUS_502')}),
    true,
  ],
  ['an unknown authority', new MirrorError('TLS_UNTRUSTED', ''), false],
  ['a wrong digest', new MirrorError('DIGEST_MISMATCH', ''), false],
  ['a cancelled run', new MirrorError('CANCELLED', ''), false],
  ['a bug', new TypeError('x is not a function'), false],
])('%s is worth another try: %s', (_name, error, again) => {
  expect(isTransient(error)).toBe(again)
  expect(decide({error}) !== undefined).toBe(again)
})

test('retrying sends again until it works, throwing away what failed', async () => {
  const {send, seen} = scripted([503, gone, 429, 200])
  const notices: RetryNotice[] = []
  const waits: number[] = []
  const response = await retrying({
    policy: POLICY,
    sleep: (milliseconds) => {
      waits.push(milliseconds)
      return Promise.resolve()
    },
    onRetry: (notice) => notices.push(notice),
  })(send)(get('https://r'))
  expect(response.status).toBe(200)
  expect(seen).toEqual({requests: 4, discarded: 2})
  expect(notices.map(({attempt, status, error, wait}) => [attempt, status, error, wait])).toEqual([
    [1, 503, undefined, waits[0]],
    [2, undefined, gone, waits[1]],
    [3, 429, undefined, waits[2]],
  ])
})

test('retrying gives up with the last response, unread, or the last error', async () => {
  const options = {policy: {retries: 2, maxWait: 1000}, sleep: () => Promise.resolve()}
  const statuses = scripted([500, 502, 503, 200])
  expect((await retrying(options)(statuses.send)(get('https://r'))).status).toBe(503)
  expect(statuses.seen).toEqual({requests: 3, discarded: 2})
  const errors = scripted([gone, gone, gone, 200])
  expect(await failureOf(retrying(options)(errors.send)(get('https://r')))).toBe(gone)
  expect(errors.seen.requests).toBe(3)
})

test('retrying leaves a stream to whoever makes it', async () => {
  const {send, seen} = scripted([503, 200])
  const body = {stream: (async function* () {})(), length: 0}
  const response = await retrying({policy: POLICY})(send)(get('https://r', {method: 'PATCH', body}))
  expect(response.status).toBe(503)
  expect(seen.requests).toBe(1)
})

test('retrying stops waiting when it is aborted', async () => {
  const {send, seen} = scripted([503, 200])
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 20)
  const error = await failureOf(
    retrying({policy: POLICY})(send)(get('https://r', {signal: controller.signal})),
  )
  expect(error.code).toBe('CANCELLED')
  expect(seen.requests).toBe(1)
})

test('sleep waits, and ends at once where it is aborted', async () => {
  await sleep(1)
  await sleep(-1)
  const stop = new MirrorError('CANCELLED', 'interrupted')
  expect(await failureOf(sleep(1e12, AbortSignal.abort(stop)))).toBe(stop)
  const controller = new AbortController()
  setTimeout(() => controller.abort(stop), 10)
  expect(await failureOf(sleep(1e12, controller.signal))).toBe(stop)
})

test('logging tells of each exchange once, redacted', async () => {
  const exchanges: Exchange[] = []
  const {send} = scripted([202, gone])
  const log = logging((exchange) => exchanges.push(exchange))(send)
  const request: HttpRequest = get('https://r', {
    method: 'PATCH',
    url: to('https://r', '/u?_state=secret'),
    headers: {authorization: 'Bearer secret'},
  })
  await log(request)
  expect(await failureOf(log(request))).toBe(gone)
  expect(exchanges).toEqual([
    {method: 'PATCH', url: 'https://r/u?_state=***', status: 202, milliseconds: expect.any(Number) as number},
    {
      method: 'PATCH',
      url: 'https://r/u?_state=***',
      status: undefined,
      milliseconds: expect.any(Number) as number,
      error: 'gone',
    },
  ])
  expect(JSON.stringify(exchanges)).not.toContain('secret')
})

test('a rate holds over all streams together, and loses no byte', async () => {
  let clock = 0
  const sleep = async (milliseconds: number): Promise<void> => {
    const until = clock + milliseconds
    await Promise.resolve()
    clock = Math.max(clock, until)
  }
  const limited = limitRate(400_000, {now: () => clock, sleep})
  const read = async (seed: number): Promise<boolean> => {
    const bytes = Buffer.alloc(50_000, seed)
    const chunks: Uint8Array[] = []
    for await (const chunk of limited(
      (async function* () {
        yield bytes
      })(),
    )) {
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).equals(bytes)
  }
  expect(await Promise.all([1, 2, 3, 4].map(read))).toEqual([true, true, true, true])
  // 200,000 bytes take 500 ms, less the last piece, after which nothing waits.
  expect(clock).toBe(375)
})

test('a limited stream that waits can be aborted, and closes its source', async () => {
  let closed = false
  const source = (async function* () {
    try {
      yield Buffer.alloc(10_000)
    } finally {
      closed = true
    }
  })()
  const reading = (async () => {
    for await (const chunk of limitRate(1)(source, {signal: AbortSignal.timeout(30)})) void chunk
  })()
  expect((await failureOf(reading)).code).toBe('CANCELLED')
  expect(closed).toBe(true)
})

function coded(code: string): Error {
  return Object.assign(new Error(code), {code})
}

/** Answers each request with the next of these statuses, or fails with the next of these errors. */
function scripted(outcomes: readonly (number | Error)[]): {
  readonly send: Send
  readonly seen: {requests: number; discarded: number}
} {
  const seen = {requests: 0, discarded: 0}
  const send: Send = async (request): Promise<HttpResponse> => {
    const outcome = outcomes[seen.requests++]
    if (typeof outcome !== 'number') throw outcome ?? new Error('no more is scripted')
    return {
      status: outcome,
      header: () => undefined,
      headers: () => [],
      url: request.url,
      body: (async function* () {})(),
      read: () => Promise.resolve(new Uint8Array()),
      discard: () => {
        seen.discarded++
        return Promise.resolve()
      },
    }
  }
  return {send, seen}
}

test('a date in Retry-After is meant by the clock of the host that answers', () => {
  const headers: Readonly<Record<string, string>> = {date: 'Sun, 06 Nov 1994 08:49:37 GMT'}
  const now = timeOf({header: (name) => headers[name]})
  expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:47 GMT', now)).toBe(10_000)
  const before = Date.now()
  const own = timeOf(undefined).getTime()
  expect(own).toBeGreaterThanOrEqual(before)
  expect(own).toBeLessThanOrEqual(Date.now())
})
