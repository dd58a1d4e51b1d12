import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import {createServer as createHttpsServer} from 'node:https'
import {once} from 'node:events'
import type {AddressInfo} from 'node:net'
import {defined, isMirrorError, MirrorError} from '@airgap-mirror/oci-client/model'
import {carryOut, Refusal, routeOf, sizeOf, type Registry, type Reply} from '../../server/index.js'
import type {Guard} from './htpasswd.js'

export interface ListenOptions {
  readonly host: string | undefined
  readonly port: number
  /** Absent: plain HTTP. */
  readonly tls: {readonly cert: Buffer; readonly key: Buffer} | undefined
  /** Absent: everybody may read. */
  readonly guard: Guard | undefined
  readonly onRequest: (line: string) => void
  readonly onFailure: (text: string) => void
  /** Milliseconds after which a client is cut off that takes none of the bytes that wait for it. Default: a minute. */
  readonly stall?: number
}

export interface Listening extends AsyncDisposable {
  /** `host:port` as it listens. */
  readonly address: string
}

const MOST_CONNECTIONS = 1024
const HEADERS_WITHIN = 30_000
/** Milliseconds without a byte in either direction. A bundle that is read from its start may take minutes to the first. */
const SILENCE = 600_000
/** Milliseconds in which a client takes not one of the bytes that wait for it. */
const STALL = 60_000

/**
 * Serves a registry until disposed of: then it takes no more requests, and those under way end.
 * @throws {MirrorError} USAGE if it cannot listen there, or the certificate and its key do not fit
 */
export async function listen(registry: Registry, options: ListenOptions): Promise<Listening> {
  const {host, port, tls} = options
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(request, response, {registry, options})
  }
  const server = create(tls, handle)
  server.maxConnections = MOST_CONNECTIONS
  server.headersTimeout = HEADERS_WITHIN
  // An upload may take hours, as long as something comes.
  server.requestTimeout = 0
  server.timeout = SILENCE
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
  readonly registry: Registry
  readonly options: ListenOptions
}

/** Answers one request, and says what went wrong on this side. */
async function respond(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const {method = '', url = '/'} = request
  const {options} = serving
  try {
    const reply = await replyTo(request, serving)
    response.writeHead(reply.status, {
      'docker-distribution-api-version': 'registry/2.0',
      // 204 has no body, and no length either (RFC 9110 8.6).
      ...defined({'content-length': reply.status === 204 ? undefined : String(sizeOf(reply.body))}),
      ...reply.headers,
    })
    options.onRequest(`${method} ${url} ${reply.status}`)
    if (method === 'HEAD') response.end()
    else await send(reply, response, options.stall ?? STALL)
  } catch (error) {
    // The status has been sent: a connection that ends too early is all that can be said to the client.
    response.destroy()
    const isClient = isMirrorError(error) && error.code === 'CANCELLED'
    const isGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
    if (!isClient && !isGone && !request.destroyed) options.onFailure(`${method} ${url}: ${messageOf(error)}`)
  } finally {
    // The rest of a body may still come after an early answer.
    request.resume()
  }
}

async function replyTo(request: IncomingMessage, {registry, options}: Serving): Promise<Reply> {
  const {method = '', url = '/', headers} = request
  try {
    if (options.guard !== undefined && !(await options.guard(headers.authorization))) {
      throw new Refusal(401, 'UNAUTHORIZED', 'log in first', {
        headers: {'www-authenticate': 'Basic realm="mirror"'},
      })
    }
    const {kind, ...route} = routeOf(method, url)
    return await carryOut(kind, {route, headers, body: request.iterator({destroyOnReturn: false})}, registry)
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply()
    if (!isMirrorError(thrown) || thrown.code === 'CANCELLED') throw thrown
    options.onFailure(`${method} ${url}: ${thrown.message}`)
    return refusalOf(thrown).reply()
  }
}

/** A failure of this side, which the client may try again. */
function refusalOf({advice, code}: MirrorError): Refusal {
  const isFull = advice?.kind === 'free-disk'
  return new Refusal(
    isFull ? 507 : 500,
    'UNKNOWN',
    isFull ? 'the disk of this registry is full' : `this registry failed: ${code}`,
  )
}

async function send({body}: Reply, response: ServerResponse, stall: number): Promise<void> {
  if (body === undefined) return void response.end()
  if (body instanceof Uint8Array) return void response.end(body)
  if (response.destroyed) return
  const left = new AbortController()
  response.once('close', () => left.abort(new MirrorError('CANCELLED', 'the client has left')))
  const {signal} = left
  for await (const chunk of body.read({signal, reuseChunks: true})) {
    response.setTimeout(stall)
    await written(chunk, response, signal)
    response.setTimeout(SILENCE)
  }
  response.end()
}

/** Waits until the system has a chunk, because its memory is used again for the next. */
function written(chunk: Uint8Array, response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, {once: true})
    response.write(chunk, (error) => {
      signal.removeEventListener('abort', leave)
      // The error of a client that has left is the signal's.
      if (error === null || error === undefined) resolve()
    })
  })
}

function addressOf(server: Server): string {
  const {address, port, family} = server.address() as AddressInfo
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
