import type {Readable} from 'node:stream'
import type {Dispatcher} from 'undici'
import {createRoute, type Route} from './routes.js'
import type {HttpRequest, HttpResponse, Send} from './send.js'
import {createSecureContexts} from './tls.js'
import {misunderstoodError} from './tls-error.js'
import {transportError} from './transport-error.js'
import {UploadBody, type UploadBodyOptions} from './upload-body.js'
import {whenAborted} from './when-aborted.js'
import {readBeginning, readResponse, wireResponse, type WireOptions} from './wire-response.js'
import {originOf} from './location.js'
import {failedToConnect, proxyRefused, proxyUnreachable} from './proxy-error.js'
import {cancelled, isMirrorError, limits, MirrorError, defined} from '../model/index.js'
import type {TransportOptions, TransportTimeouts} from './options.js'

export interface Transport {
  /** An exchange over the wire, with no retry, no credential and no redirect. */
  readonly send: Send
  /** Ends all connections, also those in use. */
  close(): Promise<void>
}

const TIMEOUTS: TransportTimeouts = {
  connect: 20_000,
  answer: 120_000,
  commit: 1_800_000,
  stall: 120_000,
}
/** Milliseconds that the body of an error is waited for, if the error came before the upload was complete. */
const EARLY_BODY_WAIT = 5000

/** @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID for invalid options */
export function createTransport(options: TransportOptions): Transport {
  const times = {...TIMEOUTS, ...options.timeouts}
  const registryOrigin = originOf(options.registry, options)
  const contexts = createSecureContexts(options.tls ?? {}, new URL(registryOrigin).origin)
  const closing = new AbortController()
  const routes = new Map<string, Route>()
  const routeTo = (origin: string): Route => {
    const known = routes.get(origin)
    if (known !== undefined) return known
    const route = createRoute(origin, {
      registry: options,
      contexts,
      connectTimeout: times.connect,
      signal: closing.signal,
    })
    for (const [oldest, {pool}] of routes) {
      if (routes.size < limits.origins) break
      if (oldest === registryOrigin) continue
      routes.delete(oldest)
      void pool.close()
    }
    routes.set(origin, route)
    return route
  }
  routeTo(registryOrigin)

  return {
    send: async (request) => exchange(request, {route: routeTo(request.url.origin), options, times}),
    close: async () => {
      closing.abort(new MirrorError('CANCELLED', 'the connections were closed'))
      await Promise.all([...routes.values()].map(({pool}) => pool.destroy()))
      routes.clear()
    },
  }
}

interface Context {
  readonly route: Route
  readonly options: TransportOptions
  readonly times: TransportTimeouts
}

async function exchange(request: HttpRequest, context: Context): Promise<HttpResponse> {
  const {route, options, times} = context
  const {signal, url} = request
  if (signal?.aborted) throw cancelled(signal)
  const peer = {
    origin: url.origin,
    side: options.side,
    ca: options.tls?.ca,
    identified: options.tls?.clientCert !== undefined && url.origin === originOf(options.registry, options),
  }
  const stop = new AbortController()
  const giveUp = (message: string): void =>
    stop.abort(new MirrorError('TIMEOUT', `${url.origin} ${message}`, {side: options.side}))
  let deadline: NodeJS.Timeout | undefined
  /** undici restarts its own timeout with every interim answer, and a server may send any number of them. */
  const expectAnswer = (grace: number): void => {
    deadline = setTimeout(() => giveUp('did not answer in time'), answerTimeout(request, times) + grace)
  }
  const upload = uploadOf(request, {
    stall: times.stall,
    onStall: () => giveUp('takes no more of an upload'),
    onComplete: () => expectAnswer(times.stall),
  })
  const {forwardedBy} = route
  const toError = (error: unknown): unknown => {
    if (upload?.failure !== undefined) return upload.failure.error
    if (isMirrorError(error)) return error
    // A plain request is sent to the proxy itself: no other host was spoken to.
    return forwardedBy !== undefined && failedToConnect(error)
      ? proxyUnreachable(forwardedBy, {side: options.side, cause: error})
      : transportError(error, {...peer, hasAnswered: route.hasAnswered})
  }
  const wire: WireOptions = {url, side: peer.side, signal, toError}

  let detach = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    detach = whenAborted(signal, () => {
      reject(cancelled(signal))
      stop.abort(cancelled(signal))
      upload?.release()
    })
  })
  if (upload === undefined) expectAnswer(times.connect + times.stall)
  try {
    // undici takes a connection first, and the blobs of an in-order source wait long for their turn: its peer would close it.
    if (upload !== undefined) await Promise.race([upload.begin(), aborted])
    const answer = route.pool.request(wireRequest(request, {...context, upload, signal: stop.signal}))
    const data = await Promise.race([answer, aborted])
    clearTimeout(deadline)
    // A body may fail before it is read. Its reader gets the error when it reads.
    data.body.once('close', detach).on('error', () => {})
    const response = await judge(data, {request, context, upload, wire})
    route.hasAnswered = true
    return response
  } catch (error) {
    clearTimeout(deadline)
    detach()
    upload?.release()
    throw toError(error)
  }
}

function uploadOf({body}: HttpRequest, options: Omit<UploadBodyOptions, 'length'>): UploadBody | undefined {
  return body === undefined || 'bytes' in body
    ? undefined
    : new UploadBody(body.stream, {...options, length: body.length})
}

function wireRequest(
  {method, url, headers, body}: HttpRequest,
  {
    route: {forwardedBy},
    options,
    times,
    upload,
    signal,
  }: Context & {readonly upload: UploadBody | undefined; readonly signal: AbortSignal},
): Dispatcher.RequestOptions {
  const length = body !== undefined && 'stream' in body ? body.length : undefined
  const {authorization} = forwardedBy ?? {}
  return {
    method,
    path: forwardedBy === undefined ? url.path : url.origin + url.path,
    headers: {
      'user-agent': options.userAgent ?? 'airgap-mirror',
      'accept-encoding': 'identity',
      ...headers,
      ...defined({
        'content-length': length === undefined ? undefined : String(length),
        host: forwardedBy === undefined ? undefined : url.origin.slice('http://'.length),
        'proxy-authorization': authorization,
      }),
    },
    body: wireBody(body, upload),
    headersTimeout: answerTimeout({method}, times),
    bodyTimeout: times.stall,
    // undici would close the connection after each HEAD, and most requests of a push are HEADs.
    reset: false,
    signal,
  }
}

function answerTimeout({method}: Pick<HttpRequest, 'method'>, times: TransportTimeouts): number {
  return method === 'PUT' || method === 'PATCH' ? times.commit : times.answer
}

/** undici takes any async iterable, though its types know streams alone. */
function wireBody(body: HttpRequest['body'], upload: UploadBody | undefined): Uint8Array | Readable | null {
  if (body === undefined) return null
  return 'bytes' in body ? body.bytes : (upload as unknown as Readable)
}

/** Statuses with which a proxy tells of a host that it cannot or may not reach, by a page of its own. */
const PROXY_PAGES: ReadonlySet<number> = new Set([403, 502, 503, 504])

function isHtml({headers}: Dispatcher.ResponseData): boolean {
  return String(headers['content-type'] ?? '').startsWith('text/html')
}

/** Returns the response, or throws the error that the response stands for. */
async function judge(
  data: Dispatcher.ResponseData,
  {
    request,
    context: {route, options},
    upload,
    wire,
  }: {
    readonly request: HttpRequest
    readonly context: Context
    readonly upload: UploadBody | undefined
    readonly wire: WireOptions
  },
): Promise<HttpResponse> {
  const {statusCode} = data
  const {side} = options
  if (statusCode === 407 && route.forwardedBy !== undefined) {
    data.body.destroy()
    throw proxyRefused(route.forwardedBy, new URL(request.url.origin).host, {side, status: statusCode})
  }
  if (route.forwardedBy !== undefined && PROXY_PAGES.has(statusCode) && isHtml(data)) {
    data.body.destroy()
    throw proxyRefused(route.forwardedBy, new URL(request.url.origin).host, {side, status: statusCode})
  }
  if (upload !== undefined && !upload.complete) {
    upload.halt()
    const bytes = await readBeginning(data, {limit: limits.errorBodyBytes, milliseconds: EARLY_BODY_WAIT})
    upload.release()
    return readResponse(data, bytes, wire)
  }
  if (statusCode === 400 && request.method !== 'HEAD') {
    const bytes = await readBeginning(data, {limit: limits.errorBodyBytes, milliseconds: EARLY_BODY_WAIT})
    const misunderstood = misunderstoodError(Buffer.from(bytes).toString('latin1'), {
      origin: request.url.origin,
      side,
    })
    if (misunderstood !== undefined) throw misunderstood
    return readResponse(data, bytes, wire)
  }
  return wireResponse(data, wire)
}
