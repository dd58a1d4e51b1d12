import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import {createServer as createHttpsServer} from 'node:https'
import {once} from 'node:events'
import type {AddressInfo} from 'node:net'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import pLimit from 'p-limit'
import {isMirrorError, MirrorError} from '@airgap-mirror/oci-client/model'
import {answer, refusal, type Answer} from './answer.js'
import type {Catalog, ServedBlob} from './catalog.js'
import type {Guard} from './htpasswd.js'
import type {Range} from './range.js'

export interface ListenOptions {
  readonly host: string | undefined
  readonly port: number
  /** Absent: plain HTTP. */
  readonly tls: {readonly cert: Buffer; readonly key: Buffer} | undefined
  /** Absent: everybody may read. */
  readonly guard: Guard | undefined
  readonly onRequest: (line: string) => void
  readonly onFailure: (text: string) => void
}

export interface Listening extends AsyncDisposable {
  /** `host:port` as it listens. */
  readonly address: string
}

/** Blobs read at once; more requests wait. Each may hold blocks of a compressed bundle in memory. */
const READS_AT_ONCE = 16
const MOST_CONNECTIONS = 1024
const HEADERS_WITHIN = 30_000

/**
 * Serves a catalog until disposed of: then it takes no more requests, and those under way end.
 * @throws {MirrorError} USAGE if it cannot listen there, or the certificate and its key do not fit
 */
export async function listen(catalog: Catalog, options: ListenOptions): Promise<Listening> {
  const {host, port, tls} = options
  const reading = pLimit(READS_AT_ONCE)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(request, response, {catalog, options, reading})
  }
  const server = create(tls, handle)
  server.maxConnections = MOST_CONNECTIONS
  server.headersTimeout = HEADERS_WITHIN
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    throw new MirrorError('USAGE', `cannot listen on ${host ?? ''}:${port}: ${messageOf(cause)}`, {
      hint: 'Choose another address or port with --listen.',
      cause,
    })
  }
  return {
    address: addressOf(server),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await closed
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function create(tls: ListenOptions['tls'], handle: Handler): Server {
  if (tls === undefined) return createHttpServer(handle)
  try {
    return createHttpsServer({...tls, minVersion: 'TLSv1.2'}, handle)
  } catch (cause) {
    throw new MirrorError('USAGE', `--tls-cert and --tls-key cannot be used: ${messageOf(cause)}`, {
      hint: 'Give a certificate chain and its key as PEM files.',
      cause,
    })
  }
}

interface Serving {
  readonly catalog: Catalog
  readonly options: ListenOptions
  readonly reading: ReturnType<typeof pLimit>
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  {catalog, options, reading}: Serving,
): Promise<void> {
  const {method = '', url = '/'} = request
  request.resume()
  try {
    const isAllowed = options.guard === undefined || (await options.guard(request.headers.authorization))
    const reply = isAllowed
      ? answer({method, url, range: request.headers.range}, catalog)
      : refusal(401, 'UNAUTHORIZED', 'log in first', {'www-authenticate': 'Basic realm="mirror"'})
    response.writeHead(reply.status, {...reply.headers, 'docker-distribution-api-version': 'registry/2.0'})
    options.onRequest(`${method} ${url} ${reply.status}`)
    if (method === 'HEAD') response.end()
    else await send(reply, response, reading)
  } catch (error) {
    // The status has been sent: a connection that ends too early is all that can be said to the client.
    response.destroy()
    const isClient = isMirrorError(error) && error.code === 'CANCELLED'
    const isGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
    if (!isClient && !isGone) options.onFailure(`${method} ${url}: ${messageOf(error)}`)
  }
}

async function send({body}: Answer, response: ServerResponse, reading: Serving['reading']): Promise<void> {
  if (body === undefined) return void response.end()
  if (body instanceof Uint8Array) return void response.end(body)
  await reading(async () => {
    if (response.destroyed) return
    const left = new AbortController()
    response.once('close', () => left.abort(new MirrorError('CANCELLED', 'the client has left')))
    await pipeline(Readable.from(part(body, left.signal), {objectMode: false}), response)
  })
}

async function* part(
  {blob, range}: {readonly blob: ServedBlob; readonly range: Range},
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let left = range.end - range.start
  if (left === 0) return
  for await (const bytes of blob.source.blob(blob.content).open({offset: range.start, signal})) {
    const wanted = bytes.length > left ? bytes.subarray(0, left) : bytes
    left -= wanted.length
    yield wanted
    // A whole blob is read to its end, where its digest is checked.
    if (left === 0 && range.end !== blob.size) return
  }
}

function addressOf(server: Server): string {
  const {address, port, family} = server.address() as AddressInfo
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
