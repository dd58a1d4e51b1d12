import {once} from 'node:events'
import {createServer, type Socket} from 'node:net'
import {setImmediate as nextRound, setTimeout as wait} from 'node:timers/promises'
import {afterEach, expect, test} from 'vitest'
import {createTransport, type Transport} from '#src/http/undici.js'
import {isTransient} from '#src/http/transport-error.js'
import type {TransportOptions, TransportTimeouts} from '#src/http/options.js'
import {limits} from '#src/model/index.js'
import {failureOf, get, keeper, listen, serve, type Listening} from './http-loopback.js'

const {kept, closeAll} = keeper()
afterEach(closeAll)

function transportTo(
  port: number,
  options: Partial<TransportOptions> = {},
  timeouts: Partial<TransportTimeouts> = {},
): {readonly transport: Transport; readonly origin: string} {
  const registry = `127.0.0.1:${port}`
  const transport = createTransport({registry, side: 'target', plainHttp: true, timeouts, ...options})
  return {transport: kept(transport), origin: `http://${registry}`}
}

/** Speaks bytes, for what no HTTP server would say. */
async function serveBytes(onConnection: (socket: Socket) => void): Promise<Listening> {
  return kept(await listen(createServer(onConnection)))
}

test('sends a stream of known length with that length, and any other in chunks', async () => {
  const seen: {length: string | undefined; coding: string | undefined; bytes: string}[] = []
  const server = kept(
    await serve((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const {'content-length': length, 'transfer-encoding': coding} = request.headers
        seen.push({length, coding, bytes: Buffer.concat(chunks).toString()})
        response.end()
      })
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const bodies = [
    {stream: bytesOf('hello ', '', 'world'), length: 11},
    {stream: bytesOf('hello ', '', 'world'), length: undefined},
    {stream: bytesOf(), length: 0},
    {bytes: Buffer.from('whole')},
  ]
  for (const body of bodies) {
    await (await transport.send(get(origin, {method: 'PATCH', body}))).discard()
  }
  expect(seen).toEqual([
    {length: '11', coding: undefined, bytes: 'hello world'},
    {length: undefined, coding: 'chunked', bytes: 'hello world'},
    {length: '0', coding: undefined, bytes: ''},
    {length: '5', coding: undefined, bytes: 'whole'},
  ])
})

test('a source that fails at its end is told as it is, and never sent whole', async () => {
  const failed = new Error('the digest is wrong')
  let received = 0
  let whole = false
  const server = kept(
    await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length))
      request.on('end', () => {
        whole = true
        response.end()
      })
      request.on('error', () => {})
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const body = {
    stream: (async function* () {
      yield Buffer.alloc(300_000)
      yield Buffer.alloc(10)
      throw failed
    })(),
    length: 300_010,
  }
  expect(await failureOf(transport.send(get(origin, {method: 'PATCH', body})))).toBe(failed)
  await wait(50)
  expect(whole).toBe(false)
  expect(received).toBeLessThanOrEqual(300_000)
})

test.each([
  ['shorter', 9],
  ['longer', 11],
])('a stream %s than its length is a bug of the caller, not half an upload', async (_name, length) => {
  let whole = false
  const server = kept(
    await serve((request, response) => {
      request.on('end', () => (whole = true)).on('error', () => {})
      request.resume()
      response.on('error', () => {})
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const body = {stream: bytesOf('0123456789'), length}
  const error = await failureOf(transport.send(get(origin, {method: 'PATCH', body})))
  expect(error.message).toBe(`a body said to have ${length} bytes has 10`)
  await wait(20)
  expect(whole).toBe(false)
})

test.each([
  ['known', 1 << 30],
  ['unknown', undefined],
])('an early 401 ends a large upload of %s length quickly, and is the response', async (_name, length) => {
  const server = kept(
    await serve((_request, response) => {
      response.writeHead(401, {'www-authenticate': 'Bearer realm="r"'}).end('{"errors":[]}')
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const source = endless({pause: 0})
  const response = await transport.send(get(origin, {method: 'PATCH', body: {stream: source.bytes, length}}))
  expect(response.status).toBe(401)
  expect(response.header('www-authenticate')).toBe('Bearer realm="r"')
  expect(Buffer.from(await response.read(100)).toString()).toBe('{"errors":[]}')
  await source.closed
  expect(source.taken()).toBeLessThan(16 << 20)
})

test('an early 413 ends an upload whose source is waiting', async () => {
  const server = kept(await serve((_request, response) => void response.writeHead(413).end('too large')))
  const {transport, origin} = transportTo(server.port)
  let closed = false
  let pulls = 0
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        pulls++ === 0 ? Promise.resolve({done: false, value: Buffer.alloc(1000)}) : new Promise(() => {}),
      return: () => {
        closed = true
        return Promise.resolve({done: true, value: undefined})
      },
    }),
  }
  const body = {stream: source, length: 1_000_000}
  const response = await transport.send(get(origin, {method: 'PATCH', body}))
  expect(response.status).toBe(413)
  expect(Buffer.from(await response.read(100)).toString()).toBe('too large')
  expect(closed).toBe(true)
})

test('after an early answer the transport goes on working', async () => {
  let answers = 0
  const server = kept(
    await serve((_request, response) => void response.writeHead(++answers === 1 ? 401 : 200).end()),
  )
  const {transport, origin} = transportTo(server.port, {concurrency: 1})
  const body = {stream: endless({pause: 0}).bytes, length: 1 << 30}
  await (await transport.send(get(origin, {method: 'PATCH', body}))).discard()
  const response = await transport.send(get(origin))
  await response.discard()
  expect(response.status).toBe(200)
})

test('an early error whose body does not end is the response all the same', async () => {
  const server = kept(
    await serve((_request, response) => {
      response.writeHead(413)
      response.write('x'.repeat(limits.errorBodyBytes * 2))
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const body = {stream: endless({pause: 1}).bytes, length: undefined}
  const response = await transport.send(get(origin, {method: 'PATCH', body}))
  expect(response.status).toBe(413)
  expect((await response.read(limits.errorBodyBytes)).length).toBe(limits.errorBodyBytes)
})

test('an abort while the answer is waited for rejects at once, and closes the source', async () => {
  const server = kept(await serve(() => {}))
  const {transport, origin} = transportTo(server.port)
  const controller = new AbortController()
  const source = endless({pause: 5})
  const sending = transport.send(
    get(origin, {
      method: 'PATCH',
      body: {stream: source.bytes, length: undefined},
      signal: controller.signal,
    }),
  )
  setTimeout(() => controller.abort(), 50)
  expect((await failureOf(sending)).code).toBe('CANCELLED')
  await source.closed
})

test('an upload that the registry stops taking fails in time', async () => {
  const server = await serveBytes((socket) => void socket.pause())
  const {transport, origin} = transportTo(server.port, {}, {stall: 300})
  const source = endless({pause: 0})
  const error = await failureOf(
    transport.send(get(origin, {method: 'PATCH', body: {stream: source.bytes, length: 1 << 30}})),
  )
  expect(error.code).toBe('TIMEOUT')
  expect(error.message).toContain('takes no more of an upload')
  expect(isTransient(error)).toBe(true)
  await source.closed
})

test('takes no connection before the source has given its first bytes', async () => {
  const server = kept(await serve((request, response) => request.resume().on('end', () => response.end())))
  const {transport, origin} = transportTo(server.port)
  const taken: number[] = []
  const stream = (async function* () {
    // Rounds of the event loop in which a connection would be made.
    for (let round = 0; round < 20; round += 1) await nextRound()
    taken.push(server.connections())
    yield Buffer.from('hello')
  })()
  await (await transport.send(get(origin, {method: 'PATCH', body: {stream, length: 5}}))).discard()
  expect([...taken, server.connections()]).toEqual([0, 1])
})

test('a slow source is not taken for a stall', async () => {
  const server = kept(
    await serve((request, response) => {
      request.resume().on('end', () => response.end())
    }),
  )
  const {transport, origin} = transportTo(server.port, {}, {stall: 50})
  const stream = (async function* () {
    yield Buffer.alloc(1)
    await wait(200)
    yield Buffer.alloc(1)
  })()
  const response = await transport.send(get(origin, {method: 'PATCH', body: {stream, length: 2}}))
  expect(response.status).toBe(200)
  await response.discard()
})

async function* bytesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

function endless({pause}: {readonly pause: number}): {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly taken: () => number
  readonly closed: Promise<unknown>
} {
  const end = new EventTarget()
  const closed = once(end, 'closed')
  let taken = 0
  const bytes = (async function* () {
    try {
      for (;;) {
        taken += 65536
        yield Buffer.alloc(65536)
        if (pause > 0) await wait(pause)
      }
    } finally {
      end.dispatchEvent(new Event('closed'))
    }
  })()
  return {bytes, taken: () => taken, closed}
}
