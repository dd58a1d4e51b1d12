import {urlOf, type RegistryClient} from '../../client/client.js'
import {endpoints, pullScope, pushScope} from '../../client/endpoints.js'
import {uploadUrl} from './led-away.js'
import {receivedBytes} from './upload-range.js'
import {resolveLocation} from '../../http/location.js'
import type {HttpResponse, HttpUrl} from '../../http/send.js'
import {MirrorError, type Digest} from '../../model/index.js'

/** An open upload session, at the URL in its last answer. */
export interface UploadSession {
  readonly repository: string
  readonly url: HttpUrl
  /** True for an earlier run's session. If it fails in any way, a new session may succeed. */
  readonly adopted?: boolean
}

export interface SessionOptions {
  readonly repository: string
  readonly signal: AbortSignal | undefined
}

/** The longest time to cancel an upload, in milliseconds. */
export const CANCEL_WAIT = 5000

/** Asks for a session; the caller judges the status of the answer. */
export function postUpload(
  client: RegistryClient,
  {repository, signal}: SessionOptions,
): Promise<HttpResponse> {
  return client.sendOnce({
    method: 'POST',
    url: urlOf(client, endpoints.upload(repository)),
    headers: {'content-length': '0'},
    signal,
    scopes: [pushScope(repository)],
  })
}

/**
 * Returns the session that a 2xx answer to POST opened, and learns from its headers. Some registries say 201 while the
 * spec has 202.
 * @throws {MirrorError} PROTOCOL without a usable Location
 */
export function openedSession(
  client: RegistryClient,
  {response, repository}: {readonly response: HttpResponse; readonly repository: string},
): UploadSession {
  const location = response.header('location')
  if (location === undefined) {
    throw new MirrorError(
      'PROTOCOL',
      `${client.registry} opened an upload without saying where (no Location header)`,
      {
        side: client.side,
      },
    )
  }
  const minimum = Number(response.header('oci-chunk-min-length'))
  if (Number.isSafeInteger(minimum) && minimum > 0) client.host.chunkMin = minimum
  const url = uploadUrl(client, {base: response.url, location})
  client.uploadOrigins.add(url.origin)
  return {repository, url}
}

/** Returns the session at its new URL: each answer's Location is the next request's URL. */
export function movedSession(session: UploadSession, response: HttpResponse): UploadSession {
  const location = response.header('location')
  return location === undefined ? session : {...session, url: resolveLocation(response.url, location)}
}

/** Asks to mount the blob from another repository. Returns `mounted`, a session to upload it, or neither. */
export async function tryMount(
  client: RegistryClient,
  {repository, signal, digest, from}: SessionOptions & {readonly digest: Digest; readonly from: string},
): Promise<'mounted' | UploadSession | undefined> {
  const response = await client.sendOnce({
    method: 'POST',
    url: urlOf(client, endpoints.mount(repository, {digest, from})),
    headers: {'content-length': '0'},
    signal,
    scopes: [pushScope(repository), pullScope(from)],
  })
  await response.discard()
  if (response.status < 200 || response.status > 299) {
    if (response.status < 500 && response.status !== 429) client.host.mountsRefused += 1
    return undefined
  }
  const location = response.header('location')
  if (response.status === 201 && (location === undefined || isBlobLocation(location, digest)))
    return 'mounted'
  // Some registries neither mount nor open a session, with any status. A separate POST then opens one.
  if (location === undefined) return undefined
  return openedSession(client, {response, repository})
}

/** Returns true if a Location names the finished blob and not an upload. */
export function isBlobLocation(location: string, digest: Digest): boolean {
  const path = location.split('?', 1)[0] ?? ''
  return path.endsWith(`/${digest}`) || path.endsWith(`/${encodeURIComponent(digest)}`)
}

/** Asks how much of the blob has arrived (distribution-spec, end-13). */
export function getStatus(
  client: RegistryClient,
  {session, signal}: {readonly session: UploadSession; readonly signal: AbortSignal | undefined},
): Promise<HttpResponse> {
  return client.sendOnce({method: 'GET', url: session.url, signal, scopes: [pushScope(session.repository)]})
}

export type SessionStatus =
  | {readonly kind: 'open'; readonly session: UploadSession; readonly received: number}
  /**
   * The registry gives no status, and may have ended the session because of the question (distribution 2.8, Harbor).
   */
  | {readonly kind: 'ended'}
  | {readonly kind: 'unknown'}

/** Returns the status in an answer to `getStatus`. */
export function sessionStatus(session: UploadSession, answer: HttpResponse): SessionStatus {
  if (answer.status === 400 || answer.status === 405) return {kind: 'ended'}
  const received = answer.status < 300 ? receivedBytes(answer.header('range')) : undefined
  return received === undefined
    ? {kind: 'unknown'}
    : {kind: 'open', session: movedSession(session, answer), received}
}

/**
 * Cancels an upload. Failures are ignored: the registry purges abandoned sessions, and some answer 401 because the
 * account lacks the right to delete.
 */
export async function cancelUpload(client: RegistryClient, session: UploadSession): Promise<void> {
  try {
    const response = await client.sendOnce({
      method: 'DELETE',
      url: session.url,
      headers: {'content-length': '0'},
      signal: AbortSignal.timeout(CANCEL_WAIT),
      scopes: [pushScope(session.repository)],
    })
    await response.discard()
  } catch {
    // Ignored, because no later step depends on it.
  }
}
