import {urlOf, type RegistryClient} from './client.js'
import {deletingTags, type TagDeletion} from './delete-tag.js'
import {endpoints} from './endpoints.js'
import {hasBlob} from './head-blob.js'
import {knownHost, type HostKnowledge} from './host-knowledge.js'
import {putBlob} from './put-blob.js'
import {putManifestBytes} from './put-manifest.js'
import {readManifest, resolveManifest} from './read-manifest.js'
import {referrersByTag} from './referrers-tag.js'
import {authorizing} from '../auth/authorize.js'
import {collecting} from '../http/collecting.js'
import {hostGates} from '../http/host-gates.js'
import {formatUrl, originOf} from '../http/location.js'
import {logging} from '../http/log.js'
import {limitRate} from '../http/rate-limit.js'
import {followRedirects} from '../http/redirects.js'
import {responseError} from '../http/response-error.js'
import {redactUrl} from '../http/redact.js'
import {patienceOf, retrying, type RetryNotice, type RetryPolicy} from '../http/retry.js'
import {connectionsTo} from '../http/routes.js'
import type {Middleware, Send} from '../http/send.js'
import {createTransport} from '../http/undici.js'
import {excerpt} from '../http/printable.js'
import {messageOf, type CallOptions, type ImageSink, type RequestUsage} from '../model/index.js'
import type {RegistryOptions, Retry} from '../options.js'

export interface Registry extends ImageSink {
  readonly usage: RequestUsage
  /**
   * Proves that the registry is there, that its certificate is trusted and that it takes the credential, before any work.
   * @throws {MirrorError} UNREACHABLE, TLS_*, PROXY_FAILED, AUTH_*, REGISTRY_FAILED
   */
  ping(options?: CallOptions): Promise<void>
  /**
   * Deletes a tag, and nothing else that anybody may still want.
   * @throws {MirrorError} DENIED where deletion is switched off or the account lacks the right, LIMIT_EXCEEDED, PROTOCOL
   */
  readonly deleteTag: TagDeletion['deleteTag']
  /** What was learnt of the host so far. Plain JSON. */
  readonly knowledge: HostKnowledge
}

const RETRIES = 5
const RETRY_MAX_WAIT = 300_000
/** `Warning` texts and fall-backs that are told at most; a hostile registry has endless ones. */
const WARNINGS = 100
const WARNING_LENGTH = 400

/** @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID; nothing is sent yet */
export function openRegistry(options: RegistryOptions): Registry {
  const {client, usage, close} = openClient(options)
  const addReferrer = referrersByTag(client)
  const deletion = deletingTags(client)
  return {
    usage,
    knowledge: client.host,
    ping: (call = {}) => ping(client, call),
    resolve: (target, call = {}) => resolveManifest(client, {...call, target}),
    manifest: (target, call = {}) => readManifest(client, {...call, target}),
    hasBlob: (repository, digest, {signal} = {}) => hasBlob(client, {repository, digest, signal}),
    putBlob: (repository, blob, call = {}) => putBlob(client, {...call, repository, blob}),
    putManifest: async (target, manifest, call = {}) => {
      const response = await putManifestBytes(client, {...call, target, manifest})
      deletion.forget(target.repository)
      const {subject} = manifest
      if (subject === undefined || response.header('oci-subject') !== undefined) return
      await addReferrer({...call, repository: target.repository, subject: subject.digest, manifest})
    },
    deleteTag: deletion.deleteTag,
    [Symbol.asyncDispose]: close,
  }
}

/** The connections to one registry, without the operations on them. */
export interface OpenClient {
  readonly client: RegistryClient
  readonly usage: RequestUsage
  /** Ends all connections, those in use as well. */
  readonly close: () => Promise<void>
}

/** @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID; nothing is sent yet */
export function openClient(options: RegistryOptions): OpenClient {
  const usage = {requests: 0, retries: 0}
  const transport = createTransport(options)
  return {
    client: createClient(options, {wire: transport.send, usage}),
    usage,
    close: () => transport.close(),
  }
}

/**
 * From the wire upwards: what is on it is counted and logged, so token requests and the hops of a redirect are, too; each
 * hop is authorized anew, by its own origin; requests are sent again on the outermost level, and there only.
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
  const logged = onExchange === undefined ? wire : logging(onExchange)(wire)
  const seen = gates.gated(observing(usage, warn)(logged))
  const sendOnce = followRedirects()(
    authorizing({origin, registry, side, credentials, tokenSend: again(seen)})(seen),
  )
  const limited = rate === undefined ? undefined : limitRate(rate)
  return {
    registry,
    origin,
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

/** Counts requests and passes on `Warning: 299 - "text"` (distribution-spec, Warnings): shown, never acted upon. */
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

function warnOnce(onWarning: ((text: string) => void) | undefined): (text: string) => void {
  const told = new Set<string>()
  return (text) => {
    const line = excerpt(text, WARNING_LENGTH)
    if (onWarning === undefined || told.has(line) || told.size >= WARNINGS) return
    told.add(line)
    onWarning(line)
  }
}

async function ping(client: RegistryClient, {signal}: CallOptions): Promise<void> {
  const response = await client.sendFirst({
    method: 'GET',
    url: urlOf(client, endpoints.base),
    signal,
    scopes: [],
  })
  const {status} = response
  // Some registries have no such page, or keep it from everybody, and work all the same.
  if ((status >= 200 && status < 300) || status === 404 || status === 403) return response.discard()
  throw await responseError(response, {
    side: client.side,
    what: 'cannot use the registry',
    reference: client.registry,
  })
}
