import {urlOf, type RegistryClient} from '../../client/client.js'
import {endpoints, pullScope, pushScope} from '../../client/endpoints.js'
import {receivedBytes} from './upload-range.js'
import {resolveLocation} from '../../http/location.js'
import type {HttpResponse, HttpUrl} from '../../http/send.js'
import {MirrorError, type Digest} from '../../model/index.js'

/** A blob upload that the registry has open, at the URL its last answer named. */
export interface UploadSession {
  readonly repository: string
  readonly url: HttpUrl
  /** An earlier run's: whatever is wrong with it, a session of our own may do. */
  readonly adopted?: boolean
}

export interface SessionOptions {
  readonly repository: string
  readonly signal: AbortSignal | undefined
}

/** The longest that giving up an upload may take, in milliseconds. */
export const CANCEL_WAIT = 5000

/** Asks for a session; the answer's status is the caller's to judge. */
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
 * The session a 2xx answer to POST opened (some registries say 201 where the spec has 202), with what it tells of the host.
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
  const url = resolveLocation(response.url, location)
  client.uploadOrigins.add(url.origin)
  return {repository, url}
}

/** The session as a later answer names it: each answer's Location is the next request's URL. */
export function movedSession(session: UploadSession, response: HttpResponse): UploadSession {
  const location = response.header('location')
  return location === undefined ? session : {...session, url: resolveLocation(response.url, location)}
}

/** Asks to have the blob taken over from another repository: done, or a session to upload it, or neither. */
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
  // Some do not mount and open no session either, whatever they answer: a POST of its own does.
  if (location === undefined) return undefined
  return openedSession(client, {response, repository})
}

/** Whether a Location names the finished blob and not an upload. */
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
  /** The registry has no status to tell, and may have ended the session for being asked (distribution 2.8, Harbor). */
  | {readonly kind: 'ended'}
  | {readonly kind: 'unknown'}

/** What an answer to `getStatus` says. */
export function sessionStatus(session: UploadSession, answer: HttpResponse): SessionStatus {
  if (answer.status === 400 || answer.status === 405) return {kind: 'ended'}
  const received = answer.status < 300 ? receivedBytes(answer.header('range')) : undefined
  return received === undefined
    ? {kind: 'unknown'}
    : {kind: 'open', session: movedSession(session, answer), received}
}

/**
 * Gives an upload up. Failures are no news: the registry purges what is left over, and some answer 401 here for want of a
 * right to delete.
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
    // As said above: there is nobody who could do anything about it.
  }
}
