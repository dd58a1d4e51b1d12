import {createServer, type Socket} from 'node:net'
import {setTimeout as wait} from 'node:timers/promises'
import {afterEach, expect, test} from 'vitest'
import {createTransport, type Transport} from '#src/http/undici.js'
import {isTransient} from '#src/http/transport-error.js'
import type {TransportOptions, TransportTimeouts} from '#src/http/options.js'
import type {Bytes} from '#src/model/index.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper, listen, to, type Listening} from './http-loopback.js'

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

async function* thenNothing(text: string): Bytes {
  yield Buffer.from(text)
  await new Promise(() => {})
}

async function* zeros(): Bytes {
  for (;;) yield Buffer.alloc(65_536)
}

test('keeps the path and its query byte for byte', async () => {
  const server = kept(await startScripted({'*': {}}))
  const {transport, origin} = transportTo(server.port)
  const path = '/v2/a/../b//c%2Fd/%7e?_state=a+b%20c==&x=\'|{}"[]&y=%zz'
  const response = await transport.send(get(origin, {url: to(origin, path)}))
  await response.discard()
  expect(server.asked.map((asked) => asked.path)).toEqual([path])
})

test('asks for no compression, and passes compressed bytes on as they are', async () => {
  const sent = Buffer.from('1f8b not really gzip')
  const server = kept(await startScripted({'*': {headers: {'content-encoding': 'gzip'}, body: sent}}))
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  expect(Buffer.from(await response.read(100))).toEqual(sent)
  expect(server.asked[0]?.headers['accept-encoding']).toBe('identity')
})

test('gives the first and all values of a repeated header, and none of what objects inherit', async () => {
  const headers = {'WWW-Authenticate': ['Bearer realm="a"', 'Basic realm="b"']}
  const server = kept(await startScripted({'*': {headers}}))
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  await response.discard()
  expect(response.headers('www-authenticate')).toEqual(['Bearer realm="a"', 'Basic realm="b"'])
  expect(response.header('www-authenticate')).toBe('Bearer realm="a"')
  expect(response.header('constructor')).toBeUndefined()
})

test('keeps connections for requests one after another, HEADs among them', async () => {
  const server = kept(await startScripted({'*': {body: 'body'}}))
  const {transport, origin} = transportTo(server.port)
  for (const method of ['HEAD', 'GET', 'HEAD', 'POST', 'HEAD', 'HEAD', 'HEAD'] as const) {
    await (await transport.send(get(origin, {method}))).discard()
  }
  // undici takes a second one for a request that comes in the same turn as the end of the last response.
  expect(server.connections()).toBeLessThanOrEqual(2)
})

test('opens no more connections than the concurrency and one', async () => {
  const server = kept(await startScripted({'*': () => wait(20, {})}))
  const {transport, origin} = transportTo(server.port, {concurrency: 2})
  await Promise.all(Array.from({length: 12}, async () => (await transport.send(get(origin))).discard()))
  expect(server.connections()).toBe(3)
})

test('a POST without a body says that its length is 0', async () => {
  const server = kept(await startScripted({'*': {}}))
  const {transport, origin} = transportTo(server.port)
  await (await transport.send(get(origin, {method: 'POST'}))).discard()
  expect(server.asked[0]?.headers['content-length']).toBe('0')
})

test('an abort while a connection is waited for rejects at once', async () => {
  const server = kept(await startScripted({'*': 'silence'}))
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
  const server = kept(await startScripted({'*': () => ({body: thenNothing('first')})}))
  const {transport, origin} = transportTo(server.port)
  const controller = new AbortController()
  const response = await transport.send(get(origin, {signal: controller.signal}))
  setTimeout(() => controller.abort(), 20)
  expect((await failureOf(response.read(1000))).code).toBe('CANCELLED')
})

test('a signal that is aborted already sends nothing', async () => {
  const server = kept(await startScripted({'*': {}}))
  const {transport, origin} = transportTo(server.port)
  expect((await failureOf(transport.send(get(origin, {signal: AbortSignal.abort()})))).code).toBe('CANCELLED')
  expect(server.connections()).toBe(0)
})

test('leaves no listener behind on a signal that outlives its requests', async () => {
  const server = kept(await startScripted({'*': {body: 'x'}}))
  const {transport, origin} = transportTo(server.port)
  const {signal} = new AbortController()
  const counts = {added: 0, removed: 0}
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...parameters: Parameters<typeof add>) => {
    counts.added++
    add(...parameters)
  }
  signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
    counts.removed++
    remove(...parameters)
  }
  await (await transport.send(get(origin, {signal}))).discard()
  await (await transport.send(get(origin, {signal}))).read(10)
  await (await transport.send(get(origin, {method: 'HEAD', signal}))).discard()
  await wait(10)
  expect(counts.added).toBe(3)
  expect(counts.removed).toBe(3)
})

// undici counts these in steps of about a second.
test('a registry that does not answer, or stops in the middle, fails in time', async () => {
  const server = kept(
    await startScripted({
      '/none': 'silence',
      '*': () => ({headers: {'content-length': 10}, body: thenNothing('half')}),
    }),
  )
  const {transport, origin} = transportTo(server.port, {}, {answer: 500, stall: 500})
  const none = await failureOf(transport.send(get(origin, {url: to(origin, '/none')})))
  expect(none.code).toBe('TIMEOUT')
  const half = await transport.send(get(origin))
  expect((await failureOf(half.read(100))).code).toBe('TIMEOUT')
})

test.each([
  ['a GET', (origin: string) => get(origin)],
  [
    'an upload',
    (origin: string) => ({
      ...get(origin),
      method: 'PUT' as const,
      body: {
        length: 4,
        stream: (async function* () {
          yield Buffer.from('blob')
        })(),
      },
    }),
  ],
])('headers that drip without end fail %s in time', async (_name, request) => {
  const server = await serveBytes((socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 200 OK\r\nx-slow: ')
    const timer = setInterval(() => socket.write('y'), 20)
    socket.once('close', () => clearInterval(timer))
  })
  const timeouts = {connect: 100, answer: 200, commit: 200, stall: 100}
  const {transport, origin} = transportTo(server.port, {}, timeouts)
  expect(await failureOf(transport.send(request(origin)))).toMatchObject({code: 'TIMEOUT', side: 'target'})
})

test('a body over the limit of its reader is refused, and closed', async () => {
  const server = kept(await startScripted({'*': () => ({body: zeros()})}))
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
  expect(error.advice).toEqual({kind: 'use-https'})
  expect(isTransient(error)).toBe(transient)
})

test('after an answer in plain HTTP, a dropped connection is no reason to advise HTTPS', async () => {
  let requests = 0
  const server = await serveBytes((socket) => {
    socket.once('data', () => {
      requests += 1
      socket.end(requests === 1 ? 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok' : '')
    })
  })
  const {transport, origin} = transportTo(server.port)
  const response = await transport.send(get(origin))
  expect(Buffer.from(await response.read(10)).toString()).toBe('ok')
  const error = await failureOf(transport.send(get(origin)))
  expect({code: error.code, advice: error.advice}).toEqual({code: 'UNREACHABLE', advice: undefined})
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
    expect(error.advice).toBeUndefined()
    expect(isTransient(error)).toBe(true)
  }
})

test('a port where nothing listens', async () => {
  const server = await startScripted({'*': 'silence'})
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
  const server = kept(await startScripted({'*': 'silence'}))
  const {transport, origin} = transportTo(server.port)
  const sending = failureOf(transport.send(get(origin)))
  await wait(20)
  await transport.close()
  expect((await sending).code).toBe('CANCELLED')
})
