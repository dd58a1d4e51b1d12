import type {IncomingMessage, ServerResponse} from 'node:http'
import {checkName, Refusal, type Reply} from '@airgap-mirror/cli/server'
import {admitSigned, type Gatekeeper} from './auth.js'
import {deleteManifest, getBlob, listReferrers, plainly, putManifest} from './content.js'
import {bodyOf, ConnectionGone, delay, readBody, type Access, type Exchange} from './exchange.js'
import {amendReply, answerInstead, type FaultPlan} from './faults.js'
import type {Connection} from './listener.js'
import type {MutableRecord} from './request-log.js'
import {respond} from './respond.js'
import {routeOf, type RequestKind, type Route} from './route.js'
import {mayExist, type RegistryState} from './state.js'
import type {TokenServer} from './token-server.js'
import {cancelUpload, commitUpload, sendChunk, startUpload, uploadStatus} from './uploads.js'

export interface Service {
  readonly state: RegistryState
  readonly gate: Gatekeeper
  readonly tokens: TokenServer | undefined
  readonly faults: FaultPlan
}

export interface Incoming {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly connection: Connection
  readonly origin: 'main' | 'other'
}

type Handler = (exchange: Exchange, service: Service) => Reply | Promise<Reply>

/** A request from its first to its last byte. */
export async function handle(service: Service, incoming: Incoming): Promise<void> {
  const {request, response, connection} = incoming
  const route = routeOf(request.method ?? '', request.url ?? '')
  const record = startRecord(service, incoming, route)
  service.state.active += 1
  // A client that goes away while it is answered or is still sending is no error of this server.
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  try {
    const crowded = refusalOfCrowd(service.state)
    await delayed(service.state.options.latency)
    const exchange = admit(service, incoming, {route, record, crowded})
    if (exchange.refused !== undefined) await respond(exchange.refused, exchange, response)
    else await serve(exchange, service, response)
  } catch (thrown) {
    if (!(thrown instanceof ConnectionGone)) {
      connection.reset()
      service.state.violations.push(`the registry itself failed: ${String(thrown)}`)
    }
  } finally {
    record.finishedAt = Date.now()
    service.state.active -= 1
    // Reads the rest of the body, which the client may still send after an early answer.
    request.resume()
  }
}

async function serve(exchange: Exchange, service: Service, response: ServerResponse): Promise<void> {
  const {state} = service
  const instead = await refusable(() =>
    answerInstead(exchange, {
      state,
      drain: () => drain(exchange, state),
      challenge: () => service.gate.challenge(exchange.request, exchange.route).reply(),
    }),
  )
  if (instead === 'reset') return exchange.reset()
  const after = exchange.fault?.type === 'early-201' ? (exchange.fault.after ?? 0) : 0
  if (after > 0) await readSome(exchange, state, after)
  const reply = instead ?? (await refusable(() => carryOut(exchange, service)))
  await respond(amendReply(reply, exchange, state), exchange, response)
}

const carryOut: Handler = (exchange, service) => {
  const {route} = exchange
  checkName(route)
  if (route.repository !== '' && !mayExist(service.state, route.repository)) {
    throw new Refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
  }
  return HANDLERS[route.kind](exchange, service)
}

function notFound(): never {
  throw new Refusal(404, 'UNSUPPORTED', 'no such endpoint')
}

function onState(handler: (exchange: Exchange, state: RegistryState) => Reply | Promise<Reply>): Handler {
  return (exchange, {state}) => handler(exchange, state)
}

const issueToken: Handler = async (exchange, {tokens, state}) => {
  if (tokens === undefined) return notFound()
  const form = await readBody(exchange, state, {
    limit: 64 * 1024,
    tooLarge: () => new Refusal(413, 'SIZE_INVALID', 'form is too large'),
  })
  return tokens.answer(exchange.request, exchange.route, new URLSearchParams(form.toString('utf8')))
}

const HANDLERS: Readonly<Record<RequestKind, Handler>> = {
  ping: onState(plainly('ping')),
  catalog: onState(plainly('catalog')),
  token: issueToken,
  mount: onState(startUpload),
  start: onState(startUpload),
  send: onState(sendChunk),
  status: onState(uploadStatus),
  commit: onState(commitUpload),
  cancel: onState(cancelUpload),
  'blob-head': onState(plainly('blob-head')),
  'blob-get': onState(getBlob),
  'blob-delete': onState(plainly('blob-delete')),
  'manifest-head': onState(plainly('manifest-head')),
  'manifest-get': onState(plainly('manifest-get')),
  'manifest-put': onState(putManifest),
  'manifest-delete': onState(deleteManifest),
  tags: onState(plainly('tags')),
  referrers: onState(listReferrers),
  unknown: notFound,
}

function admit(
  {state, gate, faults}: Service,
  {request, connection, origin}: Incoming,
  known: {
    readonly route: Route
    readonly record: MutableRecord
    readonly crowded: Refusal | undefined
  },
): Exchange & {readonly refused?: Reply} {
  const {route, record, crowded} = known
  const base = {route, request, record, ...connection}
  let access: Access = {user: undefined, can: () => true}
  try {
    if (crowded !== undefined) throw crowded
    if (route.kind !== 'token') {
      access = origin === 'other' ? admitSigned(request, route, state) : gate.admit(request, route)
    }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return {...base, access, fault: undefined, refused: thrown.reply()}
  }
  const fault = faults.pick(record.method, route)
  record.fault = fault?.type
  return {...base, access, fault}
}

/** Judged by how many were there when the request came. */
function refusalOfCrowd({active, options: {capacity}}: RegistryState): Refusal | undefined {
  if (capacity === undefined || active <= capacity.requests) return undefined
  const {retryAfter} = capacity
  return new Refusal(429, 'TOOMANYREQUESTS', 'too many requests at once', {
    headers: retryAfter === undefined ? {} : {'retry-after': retryAfter},
  })
}

function startRecord(
  {state}: Service,
  {request, origin}: Incoming,
  {kind, repository}: Route,
): MutableRecord {
  const {authorization, ...headers} = request.headers
  const record: MutableRecord = {
    id: state.log.requests.length,
    kind,
    origin,
    method: request.method ?? '',
    path: request.url ?? '',
    repository,
    headers: authorization === undefined ? headers : {...headers, authorization: authorization.split(' ')[0]},
    authorization,
    startedAt: Date.now(),
    finishedAt: undefined,
    status: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    fault: undefined,
  }
  state.log.requests.push(record)
  state.options.onRequest?.(record)
  return record
}

async function refusable<Result>(work: () => Result | Promise<Result>): Promise<Result | Reply> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply()
    throw thrown
  }
}

function drain(exchange: Exchange, state: RegistryState): Promise<void> {
  return readSome(exchange, state, Number.POSITIVE_INFINITY)
}

async function readSome(exchange: Exchange, state: RegistryState, bytes: number): Promise<void> {
  let seen = 0
  for await (const chunk of bodyOf(exchange, state)) {
    seen += chunk.length
    if (seen >= bytes) return
  }
}

async function delayed(milliseconds: number | undefined): Promise<void> {
  if (milliseconds !== undefined && milliseconds > 0) await delay(milliseconds)
}
