import {excerpt} from '../http/excerpt.js'
import {withBytes} from '../http/collecting.js'
import type {HttpRequest, HttpResponse, HttpUrl, Send} from '../http/send.js'
import {asFinal} from '../http/transport-error.js'
import {
  isJsonObject,
  isMirrorError,
  limits,
  MirrorError,
  type JsonObject,
  type Side,
  defined,
} from '../model/index.js'
import {basicHeader, isHeaderToken} from './authorization-header.js'
import {secretsOf, type Credential} from './credential.js'
import type {TokenRealm} from './token-realm.js'

/** A token server's answer: a token and its life in milliseconds, or a refusal of this credential. */
export type TokenGrant =
  | {readonly kind: 'granted'; readonly token: string; readonly life: number}
  | {readonly kind: 'refused'; readonly status: number; readonly said: string | undefined}

export interface TokenRequest {
  readonly realm: TokenRealm
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
}

export interface TokenRequestOptions {
  /**
   * A transport without the registry's credentials, which must not follow a redirect to another origin. It retries by
   * itself: its failures are final.
   */
  readonly send: Send
  readonly registry: string
  readonly side: Side
  readonly signal?: AbortSignal
}

const CLIENT_ID = 'airgap-mirror'
/**
 * Seconds: the meaning of a missing `expires_in`, and the shortest life that clients must cope with (distribution
 * auth/token.md).
 */
const SHORTEST_LIFE = 60
/** Answers to a POST from token servers without the OAuth2 endpoint, or without this grant. */
const NO_POST = new Set([401, 404, 405, 415, 501])

/**
 * Asks a token server (distribution auth/token.md, auth/oauth.md): GET with Basic or anonymous. An identity token goes
 * by POST, and by GET as a Basic password if the server has no POST.
 * @throws {MirrorError} RATE_LIMITED, REGISTRY_FAILED, PROTOCOL, LIMIT_EXCEEDED, and the errors of the transport; all
 * name the token server's host and none repeats a secret
 */
export async function requestToken(request: TokenRequest, options: TokenRequestOptions): Promise<TokenGrant> {
  const {realm, credential} = request
  try {
    if (credential?.kind === 'identity-token') {
      const response = await options.send(exchangeRequest(request, credential.token, options.signal))
      const answer = withBytes(response, await response.read(limits.tokenBodyBytes))
      if (!(await refusesPost(answer))) return await readGrant(answer, {realm, credential})
    }
    return await readGrant(await options.send(plainRequest(request, options.signal)), {realm, credential})
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    const message = `token server ${realm.host} of ${options.registry}: ${error.message}`
    throw asFinal(
      new MirrorError(error.code, message, {side: options.side, advice: error.advice, cause: error.cause}),
    )
  }
}

/** In a 400, the body says whether the grant or the token is refused (RFC 6749, 5.2). */
async function refusesPost(response: HttpResponse): Promise<boolean> {
  if (response.status !== 400) return NO_POST.has(response.status)
  return parseAnswer(await response.read(limits.tokenBodyBytes))?.['error'] === 'unsupported_grant_type'
}

function plainRequest(
  {realm, scopes, credential}: TokenRequest,
  signal: AbortSignal | undefined,
): HttpRequest {
  const query = [
    ...(realm.service === undefined ? [] : [['service', realm.service] as const]),
    ...scopes.map((scope) => ['scope', scope] as const),
    ['client_id', CLIENT_ID] as const,
  ]
  const authorization = loginHeader(credential)
  return {
    method: 'GET',
    url: withQuery(realm.url, query),
    headers: {accept: 'application/json', ...defined({authorization})},
    collect: limits.tokenBodyBytes,
    scopes: [],
    signal,
  }
}

function exchangeRequest(
  {realm, scopes}: TokenRequest,
  refreshToken: string,
  signal: AbortSignal | undefined,
): HttpRequest {
  const form = new URLSearchParams({grant_type: 'refresh_token', client_id: CLIENT_ID})
  if (realm.service !== undefined) form.set('service', realm.service)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  form.set('refresh_token', refreshToken)
  return {
    method: 'POST',
    url: realm.url,
    headers: {accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded'},
    body: {bytes: new TextEncoder().encode(form.toString())},
    collect: limits.tokenBodyBytes,
    scopes: [],
    signal,
  }
}

function loginHeader(credential: Credential | undefined): string | undefined {
  if (credential?.kind === 'basic') return basicHeader(credential.username, credential.password)
  if (credential?.kind === 'identity-token') {
    return basicHeader(credential.username ?? '<token>', credential.token)
  }
  return undefined
}

/** Keeps the realm's own query unchanged. */
function withQuery(url: HttpUrl, query: readonly (readonly [string, string])[]): HttpUrl {
  const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  return {origin: url.origin, path: `${url.path}${url.path.includes('?') ? '&' : '?'}${text}`}
}

async function readGrant(
  response: HttpResponse,
  {realm, credential}: {readonly realm: TokenRealm; readonly credential: Credential | undefined},
): Promise<TokenGrant> {
  const {status} = response
  if (status >= 300 && status < 400) {
    await response.discard()
    throw new MirrorError('PROTOCOL', `it answers with a redirect (HTTP ${status}), which is not followed`)
  }
  const json = parseAnswer(await response.read(limits.tokenBodyBytes))
  const said = json === undefined ? undefined : explanation(json, secretsOf(credential))
  const failed = `HTTP ${status}${said === undefined ? '' : `: ${said}`}`
  // A bad refresh token is `invalid_grant` with 400 (RFC 6749, 5.2).
  const refused = status === 401 || status === 403 || (status === 400 && json?.['error'] === 'invalid_grant')
  if (refused) return {kind: 'refused', status, said}
  if (status === 429) throw new MirrorError('RATE_LIMITED', failed)
  if (status >= 500) throw new MirrorError('REGISTRY_FAILED', failed)
  if (status !== 200) throw new MirrorError('PROTOCOL', failed)
  const token = [json?.['token'], json?.['access_token']].find(
    (value) => typeof value === 'string' && value !== '',
  )
  if (typeof token !== 'string' || !isHeaderToken(token)) {
    throw new MirrorError('PROTOCOL', 'its answer holds no token', {
      advice: {kind: 'check-token-server', host: realm.host},
    })
  }
  return {kind: 'granted', token, life: lifeOf(json?.['expires_in'])}
}

function parseAnswer(bytes: Uint8Array): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isJsonObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function lifeOf(expiresIn: unknown): number {
  const seconds = Number(expiresIn)
  return (Number.isFinite(seconds) ? Math.max(seconds, SHORTEST_LIFE) : SHORTEST_LIFE) * 1000
}

/** Returns the server's own words, unless they repeat a secret. */
function explanation(json: JsonObject, secrets: readonly string[]): string | undefined {
  const first: unknown = Array.isArray(json['errors']) ? json['errors'][0] : undefined
  const texts = [
    isJsonObject(first) ? first['message'] : undefined,
    json['error_description'],
    json['details'],
    json['message'],
    json['error'],
  ]
  const text = texts.find((value): value is string => typeof value === 'string' && value !== '')
  if (text === undefined || secrets.some((secret) => secret !== '' && text.includes(secret))) return undefined
  return excerpt(text, 200)
}
