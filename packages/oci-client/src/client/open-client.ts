import type {RegistryClient} from './client.js'
import {knownHost} from './host-knowledge.js'
import type {RegistryOptions, Retry} from './options.js'
import {authorizing} from '../auth/authorize.js'
import {collecting} from '../http/collecting.js'
import {hostGates} from '../http/host-gates.js'
import {formatUrl, originOf} from '../http/location.js'
import {logging} from '../http/log.js'
import {limitRate} from '../http/rate-limit.js'
import {followRedirects} from '../http/redirects.js'
import {redactUrl} from '../http/redact.js'
import {patienceOf, retrying, type RetryNotice, type RetryPolicy} from '../http/retry.js'
import {connectionsTo} from '../http/routes.js'
import type {Middleware, Send} from '../http/send.js'
import {tracing} from '../http/tracing.js'
import {createTransport} from '../http/undici.js'
import {excerpt} from '../http/excerpt.js'
import {messageOf, type RequestUsage, type OnWarning} from '../model/index.js'

const RETRIES = 5
const RETRY_MAX_WAIT = 300_000
/** The most `Warning` texts and fall-backs that are reported. A hostile registry could send endless ones. */
const WARNINGS = 100
const WARNING_LENGTH = 400

/** The connections to one registry, without the operations on them. */
export interface OpenClient {
  readonly client: RegistryClient
  readonly usage: RequestUsage
  /** Ends all connections, also those in use. */
  readonly close: () => Promise<void>
}

/**
 * Sends nothing yet.
 * @param watch sees every exchange as it goes over the wire
 * @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID
 */
export function openClient(options: RegistryOptions, watch: Middleware = (next) => next): OpenClient {
  const usage = {requests: 0, retries: 0}
  const transport = createTransport(options)
  return {
    client: createClient(options, {wire: watch(transport.send), usage}),
    usage,
    close: () => transport.close(),
  }
}

/**
 * Layers, from the wire upwards: counting and logging see every request, so also token requests and the hops of a
 * redirect. Each hop is authorized by its own origin. Retries happen only on the outermost layer.
 */
function createClient(
  options: RegistryOptions,
  {wire, usage}: {readonly wire: Send; readonly usage: {requests: number; retries: number}},
): RegistryClient {
  const {registry, side, credentials, onExchange, chunkSize = 'auto', limitRate: rate} = options
  const origin = originOf(registry, options)
  const policy: RetryPolicy = {
    retries: options.retries ?? RETRIES,
    maxWait: options.retryMaxWait ?? RETRY_MAX_WAIT,
  }
  const gates = hostGates({
    most: connectionsTo(options),
    longestPause: policy.maxWait,
    patience: patienceOf(policy),
  })
  const onRetry = (retry: Retry): void => {
    usage.retries += 1
    if (retry.wait > 0) options.onRetry?.(retry)
  }
  const warn = warnOnce(options.onWarning)
  const {conditionOf} = gates
  const retryOptions = {policy, conditionOf, onRetry: (notice: RetryNotice) => onRetry(retryOf(notice))}
  const again = (next: Send): Send => retrying(retryOptions)(collecting(next))
  const logged = tracing(onExchange === undefined ? wire : logging(onExchange)(wire))
  const seen = gates.gated(observing(usage, warn)(logged))
  const sendOnce = followRedirects()(
    authorizing({origin, registry, side, credentials, tokenSend: again(seen)})(seen),
  )
  const limited = rate === undefined ? undefined : limitRate(rate)
  return {
    registry,
    origin,
    uploadOrigins: new Set(),
    side,
    send: again(sendOnce),
    sendOnce,
    sendFirst: retrying({...retryOptions, policy: {...policy, retries: Math.min(1, policy.retries)}})(
      sendOnce,
    ),
    host: knownHost(options.knowledge ?? {}),
    journal: options.journal,
    policy,
    chunkSize,
    paced: (bytes, signal) => (limited === undefined ? bytes : limited(bytes, {signal})),
    warn,
    onRetry,
    condition: () => conditionOf(origin),
  }
}

function retryOf({request, wait, status, error}: RetryNotice): Retry {
  return {
    what: `${request.method} ${redactUrl(formatUrl(request.url))}`,
    wait,
    reason: status === undefined ? messageOf(error) : `answered ${status}`,
  }
}

/**
 * Counts requests and passes on `Warning: 299 - "text"` (distribution-spec, Warnings), which is shown and never acted
 * upon.
 */
function observing(usage: {requests: number}, warn: (text: string) => void): Middleware {
  return (next) => async (request) => {
    usage.requests += 1
    const response = await next(request)
    for (const value of response.headers('warning')) {
      const text = /^299 \S+ "(.*)"/s.exec(value)?.[1]
      if (text !== undefined) warn(text.replaceAll(/\\(.)/gs, '$1'))
    }
    return response
  }
}

/** Warnings about images are as many as images, so the receiver bounds them. A registry could send any number of others. */
function warnOnce(onWarning: OnWarning | undefined): OnWarning {
  const told = new Set<string>()
  return (text, about) => {
    const line = excerpt(text, WARNING_LENGTH)
    if (about !== undefined) return onWarning?.(line, about)
    if (onWarning === undefined || told.has(line) || told.size >= WARNINGS) return
    told.add(line)
    onWarning(line)
  }
}
