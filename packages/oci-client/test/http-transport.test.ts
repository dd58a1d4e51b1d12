import {once} from 'node:events'
import {createServer, type Socket} from 'node:net'
import {setTimeout as wait} from 'node:timers/promises'
import {afterEach, expect, test} from 'vitest'
import {createTransport, type Transport, type TransportTimeouts} from '#src/http/undici.js'
import {isTransient} from '#src/http/transport-error.js'
import type {RegistryOptions} from '#src/options.js'
import {limits} from '#src/model/index.js'
import {failureOf, get, listen, serve, to, type Listening} from './http-loopback.js'

const open: {close(): Promise<void>}[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const kept = <T extends {close(): Promise<void>}>(each: T): T => {
  open.push(each)
  return each
}

const transportTo = (
  port: number,
  options: Partial<RegistryOptions> = {},
  timeouts: Partial<TransportTimeouts> = {},
): {readonly transport: Transport; readonly origin: string} => {
  const registry = `127.0.0.1:${port}`
  const transport = createTransport({registry, side: 'target', plainHttp: true, ...options}, timeouts)
  return {transport: kept(transport), origin: `http://${registry}`}
}

/** Speaks bytes, for what no HTTP server would say. */
const serveBytes = async (onConnection: (socket: Socket) => void): Promise<Listening> =>
  kept(await listen(createServer(onConnection)))

test('keeps the path and its query byte for byte', async () => {
  let asked: string | undefined
  const server = kept(
    await serve((request, response) => {
      asked = request.url
      response.end()
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const path = '/v2/a/../b//c%2Fd/%7e?_state=a+b%20c==&x=\'|{}"[]&y=%zz'
  const response = await transport.send(get(origin, {url: to(origin, path)}))
  await response.discard()
  expect(asked).toBe(path)
})

test('asks for no compression, and passes compressed bytes on as they are', async () => {
  const sent = Buffer.from('1f8b not really gzip')
  let accepted: string | undefined
  const server = kept(
    await serve((request, response) => {
      accepted = request.headers['accept-encoding']
      response.writeHead(200, {'content-encoding': 'gzip'}).end(sent)
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  expect(Buffer.from(await response.read(100))).toEqual(sent)
  expect(accepted).toBe('identity')
})

test('gives the first and all values of a repeated header, and none of what objects inherit', async () => {
  const server = kept(
    await serve((_request, response) => {
      response.setHeader('WWW-Authenticate', ['Bearer realm="a"', 'Basic realm="b"'])
      response.end()
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  await response.discard()
  expect(response.headers('www-authenticate')).toEqual(['Bearer realm="a"', 'Basic realm="b"'])
  expect(response.header('www-authenticate')).toBe('Bearer realm="a"')
  expect(response.header('constructor')).toBeUndefined()
})

test('keeps connections for requests one after another, HEADs among them', async () => {
  const server = kept(await serve((_request, response) => void response.end('body')))
  const {transport, origin} = transportTo(server.port)
  for (const method of ['HEAD', 'GET', 'HEAD', 'POST', 'HEAD', 'HEAD', 'HEAD'] as const) {
    await (await transport.send(get(origin, {method}))).discard()
  }
  // undici takes a second one for a request that comes in the same turn as the end of the last response.
  expect(server.connections()).toBeLessThanOrEqual(2)
})

test('opens no more connections than the concurrency and one', async () => {
  const server = kept(await serve((_request, response) => void setTimeout(() => response.end(), 20)))
  const {transport, origin} = transportTo(server.port, {concurrency: 2})
  await Promise.all(Array.from({length: 12}, async () => (await transport.send(get(origin))).discard()))
  expect(server.connections()).toBe(3)
})

test('sends a stream of known length with that length, and any other in chunks', async () => {
  const seen: {length: string | undefined; coding: string | undefined; bytes: string}[] = []
  const server = kept(
    await serve(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const {'content-length': length, 'transfer-encoding': coding} = request.headers
      seen.push({length, coding, bytes: Buffer.concat(chunks).toString()})
      response.end()
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

test('a POST without a body says that its length is 0', async () => {
  let length: string | undefined
  const server = kept(
    await serve((request, response) => {
      length = request.headers['content-length']
      response.end()
    }),
  )
  const {transport, origin} = transportTo(server.port)
  await (await transport.send(get(origin, {method: 'POST'}))).discard()
  expect(length).toBe('0')
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
  const started = performance.now()
  const response = await transport.send(get(origin, {method: 'PATCH', body: {stream: source.bytes, length}}))
  expect(response.status).toBe(401)
  expect(response.header('www-authenticate')).toBe('Bearer realm="r"')
  expect(Buffer.from(await response.read(100)).toString()).toBe('{"errors":[]}')
  await source.closed
  expect(source.taken()).toBeLessThan(16 << 20)
  expect(performance.now() - started).toBeLessThan(3000)
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

test('an abort while a connection is waited for rejects at once', async () => {
  const server = kept(await serve(() => {}))
  const {transport, origin} = transportTo(server.port, {concurrency: 1})
  const blocking = [transport.send(get(origin)), transport.send(get(origin))].map(failureOf)
  const controller = new AbortController()
  const queued = transport.send(get(origin, {signal: controller.signal}))
  setTimeout(() => controller.abort(), 20)
  expect((await failureOf(queued)).code).toBe('CANCELLED')
  await transport.close()
  for (const error of await Promise.all(blocking)) expect(error.code).toBe('CANCELLED')
})

test('an abort in the middle of a body ends it', async () => {
  const server = kept(await serve((_request, response) => void response.write('first')))
  const {transport, origin} = transportTo(server.port)
  const controller = new AbortController()
  const response = await transport.send(get(origin, {signal: controller.signal}))
  setTimeout(() => controller.abort(), 20)
  expect((await failureOf(response.read(1000))).code).toBe('CANCELLED')
})

test('a signal that is aborted already sends nothing', async () => {
  const server = kept(await serve((_request, response) => void response.end()))
  const {transport, origin} = transportTo(server.port)
  expect((await failureOf(transport.send(get(origin, {signal: AbortSignal.abort()})))).code).toBe('CANCELLED')
  expect(server.connections()).toBe(0)
})

test('leaves no listener behind on a signal that outlives its requests', async () => {
  const server = kept(await serve((_request, response) => void response.end('x')))
  const {transport, origin} = transportTo(server.port)
  const {signal} = new AbortController()
  const counts = {added: 0, removed: 0}
  const {addEventListener, removeEventListener} = signal
  signal.addEventListener = (...parameters: Parameters<AbortSignal['addEventListener']>) => {
    counts.added++
    addEventListener.apply(signal, parameters)
  }
  signal.removeEventListener = (...parameters: Parameters<AbortSignal['removeEventListener']>) => {
    counts.removed++
    removeEventListener.apply(signal, parameters)
  }
  await (await transport.send(get(origin, {signal}))).discard()
  await (await transport.send(get(origin, {signal}))).read(10)
  await (await transport.send(get(origin, {method: 'HEAD', signal}))).discard()
  await wait(10)
  expect(counts.added).toBe(3)
  expect(counts.removed).toBe(3)
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

// undici counts these in steps of about a second.
test('a registry that does not answer, or stops in the middle, fails in time', async () => {
  const server = kept(
    await serve((request, response) => {
      if (request.url !== '/none') response.writeHead(200, {'content-length': '10'}).write('half')
    }),
  )
  const {transport, origin} = transportTo(server.port, {}, {answer: 500, stall: 500})
  const none = await failureOf(transport.send(get(origin, {url: to(origin, '/none')})))
  expect(none.code).toBe('TIMEOUT')
  const half = await transport.send(get(origin))
  expect((await failureOf(half.read(100))).code).toBe('TIMEOUT')
})

test('a body over the limit of its reader is refused, and closed', async () => {
  const server = kept(
    await serve((_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65536)));
        response.once('drain', more)
      }
      more()
    }),
  )
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  expect((await failureOf(response.read(1000))).code).toBe('LIMIT_EXCEEDED')
  const thrownAway = await transport.send(get(origin))
  await thrownAway.discard()
})

test('a flood of headers is refused', async () => {
  const server = await serveBytes((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${`x-flood: ${'y'.repeat(1000)}\r\n`.repeat(100)}\r\n`)
  })
  const {transport, origin} = transportTo(server.port)
  const error = await failureOf(transport.send(get(origin)))
  expect(error.code).toBe('PROTOCOL')
  expect(isTransient(error)).toBe(false)
})

test.each([
  ['closes at once', '', 'UNREACHABLE', true],
  ['is cut in its headers', 'HTTP/1.1 200 OK\r\ncontent-le', 'UNREACHABLE', true],
  ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'PROTOCOL', false],
])('an answer that %s', async (_name, answer, code, transient) => {
  const server = await serveBytes((socket) => {
    socket.once('data', () => socket.end(answer))
  })
  const {transport, origin} = transportTo(server.port)
  const error = await failureOf(transport.send(get(origin)))
  expect(error.code).toBe(code)
  expect(error.side).toBe('target')
  expect(error.hint).toContain('leave out --plain-http')
  expect(isTransient(error)).toBe(transient)
})

test('a body that is cut short fails as something to try again', async () => {
  for (const head of ['content-length: 100', 'transfer-encoding: chunked']) {
    const server = await serveBytes((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello`))
    })
    const {transport, origin} = transportTo(server.port)
    const response = await transport.send(get(origin))
    const error = await failureOf(response.read(1000))
    expect(error.code).toBe('UNREACHABLE')
    expect(isTransient(error)).toBe(true)
  }
})

test('a port where nothing listens', async () => {
  const server = await serve(() => {})
  await server.close()
  const {transport, origin} = transportTo(server.port)
  const error = await failureOf(transport.send(get(origin)))
  expect(error.code).toBe('UNREACHABLE')
  expect(error.message).toBe(`127.0.0.1:${server.port} refuses the connection`)
  expect(isTransient(error)).toBe(true)
})

test('a name that does not exist', async () => {
  const {transport} = transportTo(1, {registry: 'no-such-host.invalid'})
  const error = await failureOf(transport.send(get('http://no-such-host.invalid')))
  expect(error.code).toBe('UNREACHABLE')
  expect(error.message).toContain('no-such-host.invalid')
})

test('close ends what is in use', async () => {
  const server = kept(await serve(() => {}))
  const {transport, origin} = transportTo(server.port)
  const sending = failureOf(transport.send(get(origin)))
  await wait(20)
  await transport.close()
  expect((await sending).code).toBe('CANCELLED')
})

async function* bytesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

const endless = ({
  pause,
}: {
  readonly pause: number
}): {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly taken: () => number
  readonly closed: Promise<unknown>
} => {
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
