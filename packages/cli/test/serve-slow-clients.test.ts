import {once} from 'node:events'
import {connect, type Socket} from 'node:net'
import {digestOf, type Digest} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {listen, type Listening} from '#src/commands/serve/listen.js'
import {Refusal, type ReadableRepository, type Registry} from '#src/server/index.js'

const CHUNK = 1024 * 1024
/** More than the system takes for a client that reads nothing. */
const CHUNKS = 16
const digest: Digest = digestOf(Buffer.from('a blob'))
const path = `/v2/app/blobs/${digest}`

const repository: ReadableRepository = {
  tags: () => [],
  resolve: () => undefined,
  manifest: () => undefined,
  referrers: () => [],
  blob: () => ({
    size: CHUNK * CHUNKS,
    async *read() {
      for (let index = 0; index < CHUNKS; index += 1) yield Buffer.alloc(CHUNK)
    },
  }),
}
const registry: Registry = {
  names: () => ['app'],
  find: () => repository,
  open: () => {
    throw new Refusal(405, 'UNSUPPORTED', 'read-only')
  },
  uploads: new Map(),
  pageSize: 1000,
}

function listenPlainly(options: {readonly stall?: number; readonly onFailure?: (text: string) => void} = {}) {
  const {stall, onFailure = () => {}} = options
  const address = {host: '127.0.0.1', port: 0, tls: undefined, guard: undefined}
  return listen(registry, {...address, onRequest: () => {}, onFailure, stall})
}

/** Asks for the blob, and reads nothing of it. */
async function standStill({address}: Listening): Promise<Socket> {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${address}\r\n\r\n`)
  return socket
}

async function pull({address}: Listening): Promise<number> {
  const answer = await fetch(`http://${address}${path}`)
  return (await answer.arrayBuffer()).byteLength
}

test('clients that stand still do not keep others from reading', async () => {
  await using server = await listenPlainly()
  const still = await Promise.all(Array.from({length: 40}, () => standStill(server)))
  expect(await pull(server)).toBe(CHUNK * CHUNKS)
  for (const socket of still) socket.destroy()
})

test('a client that takes none of the bytes that wait for it is cut off, and that is no failure of the server', async () => {
  const failures: string[] = []
  await using server = await listenPlainly({stall: 200, onFailure: (text) => failures.push(text)})
  const socket = await standStill(server)
  const closed = once(socket, 'close')
  // It reads only after it was cut off.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  let size = 0
  socket.on('data', (bytes: Buffer) => (size += bytes.length))
  await closed
  expect(size).toBeLessThan(CHUNK * CHUNKS)
  expect(failures).toEqual([])
})
