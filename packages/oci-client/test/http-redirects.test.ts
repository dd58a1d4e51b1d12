import * as fc from 'fast-check'
import {expect, test} from 'vitest'
import {followRedirects} from '#src/http/redirects.js'
import type {HttpRequest, HttpResponse, Middleware, Send} from '#src/http/send.js'
import {limits, type MirrorError} from '#src/model/index.js'
import {failureOf, get, to} from './http-loopback.js'

const REGISTRY = 'https://registry.example'

function answer(request: HttpRequest, status: number, location?: string): HttpResponse {
  return {
    status,
    header: (name) => (name === 'location' ? location : undefined),
    headers: (name) => (name === 'location' && location !== undefined ? [location] : []),
    url: request.url,
    body: (async function* () {})(),
    read: () => Promise.resolve(new Uint8Array()),
    discard: () => Promise.resolve(),
  }
}

/** Answers each request with the next of these, and keeps what was asked. */
function scripted(hops: readonly (readonly [status: number, location?: string])[]): {
  send: Send
  seen: HttpRequest[]
} {
  const seen: HttpRequest[] = []
  const send: Send = (request) => {
    const [status, location] = hops[seen.length] ?? [200]
    seen.push(request)
    return Promise.resolve(answer(request, status, location))
  }
  return {send, seen}
}

/** As the authorize middleware does, inside and outside of redirects. */
const authorized: Middleware = (next) => (request) =>
  next(
    request.anonymous === true
      ? request
      : {...request, headers: {...request.headers, authorization: 'secret'}},
  )

function carriesCredential({headers = {}, scopes}: HttpRequest): boolean {
  return (
    scopes.length > 0 || ['authorization', 'cookie', 'proxy-authorization'].some((name) => name in headers)
  )
}

const origins = [
  REGISTRY,
  'https://registry.example:8443',
  'https://cdn.example',
  'http://registry.example',
  'https://evil.example',
]
const hop = fc.record({
  status: fc.constantFrom(301, 302, 303, 307, 308),
  location: fc.oneof(
    fc.constantFrom('/v2/next', 'next?x=1', '?y=2', '//cdn.example/x', '//registry.example/back'),
    fc.constantFrom(...origins).map((origin) => `${origin}/v2/`),
  ),
})

test.each([
  ['inside', (send: Send) => followRedirects()(authorized(send))],
  ['outside', (send: Send) => authorized(followRedirects()(send))],
])(
  'a credential added %s of redirects is never seen by another origin, nor after it',
  async (_name, compose) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(hop, {minLength: 1, maxLength: limits.redirects}),
        fc.constantFrom<HttpRequest['method']>('GET', 'HEAD', 'POST', 'PUT'),
        async (hops, method) => {
          const {send, seen} = scripted(hops.map(({status, location}) => [status, location] as const))
          const headers = {
            authorization: 'secret',
            cookie: 'secret',
            'proxy-authorization': 'secret',
            accept: 'x',
          }
          const request = get(REGISTRY, {method, headers, scopes: ['repository:a/b:pull']})
          const outcome = await compose(send)(request).then(
            () => 'followed',
            (error: MirrorError) => error.code,
          )
          // A way down to plain http is refused, which is what the property is about, too.
          expect(['followed', 'PROTOCOL']).toContain(outcome)
          let left = false
          for (const each of seen) {
            left ||= each.url.origin !== REGISTRY
            expect(each.url.origin.startsWith('https:')).toBe(true)
            expect(carriesCredential(each)).toBe(!left)
            expect(each.headers?.['accept']).toBe('x')
          }
        },
      ),
      {seed: 20_260_101, numRuns: 1000},
    )
  },
)

test.each([
  ['GET', 301, true],
  ['GET', 302, true],
  ['GET', 303, true],
  ['HEAD', 307, true],
  ['HEAD', 308, true],
  ['POST', 307, true],
  ['PUT', 308, true],
  ['POST', 301, false],
  ['PUT', 302, false],
  ['PATCH', 303, false],
  ['DELETE', 302, false],
  ['GET', 300, false],
  ['GET', 304, false],
  ['POST', 201, false],
  ['POST', 202, false],
] as const)('%s on %d is followed: %s', async (method, status, followed) => {
  const {send, seen} = scripted([[status, '/next']])
  const response = await followRedirects()(send)(get(REGISTRY, {method}))
  expect(seen.length).toBe(followed ? 2 : 1)
  expect(response.status).toBe(followed ? 200 : status)
  expect(response.url.path).toBe(followed ? '/next' : '/v2/')
  expect(seen.at(-1)?.method).toBe(method)
})

test('bytes are sent again to where a 307 leads, a stream is the caller’s to send', async () => {
  const bytes = {bytes: Buffer.from('x')}
  const again = scripted([[307, '/next']])
  await followRedirects()(again.send)(get(REGISTRY, {method: 'PUT', body: bytes}))
  expect(again.seen.map(({body}) => body)).toEqual([bytes, bytes])
  const once = scripted([[307, '/next']])
  const stream = {stream: (async function* () {})(), length: 1}
  const response = await followRedirects()(once.send)(get(REGISTRY, {method: 'PATCH', body: stream}))
  expect(response.status).toBe(307)
  expect(once.seen.length).toBe(1)
})

test('a redirect without end is refused, and each hop is thrown away', async () => {
  let discarded = 0
  const send: Send = (request) =>
    Promise.resolve({
      ...answer(request, 302, `/v2/${discarded}`),
      discard: () => {
        discarded++
        return Promise.resolve()
      },
    })
  const error = await failureOf(followRedirects()(send)(get(REGISTRY)))
  expect(error.code).toBe('PROTOCOL')
  expect(discarded).toBe(limits.redirects + 1)
})

test('a redirect without a location is a response', async () => {
  const {send} = scripted([[302]])
  expect((await followRedirects()(send)(get(REGISTRY))).status).toBe(302)
})

test('relative locations are resolved against the hop they came from', async () => {
  const {send, seen} = scripted([
    [302, 'https://cdn.example/a/b?x=1'],
    [302, 'c'],
    [302, '/d'],
  ])
  await followRedirects()(send)(get(REGISTRY))
  expect(seen.slice(1).map(({url}) => url)).toEqual([
    to('https://cdn.example', '/a/b?x=1'),
    to('https://cdn.example', '/a/c'),
    to('https://cdn.example', '/d'),
  ])
})
