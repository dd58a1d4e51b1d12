import type {HttpRequest, HttpResponse, Middleware, Send} from '../http/send.js'
import type {Side} from '../model/index.js'
import {basicHeader, bearerHeader, isHeaderToken} from './authorization-header.js'
import {bearerTokens} from './bearer-tokens.js'
import {bufferedResponse} from './buffered-response.js'
import {parseChallenges} from './challenge.js'
import {secretsOf, type CredentialProvider} from './credential.js'
import {firstAlone} from './first-alone.js'
import {heldCredentials, type Held} from './held-credentials.js'
import {chooseChallenge, learntScheme, type Scheme} from './learnt-scheme.js'
import {authRefused, authUnusable} from './refusal.js'
import {repositoryOf, writingScopes} from './scope.js'
import type {TokenRealm} from './token-realm.js'
import {requestToken} from './token-request.js'

export interface AuthorizeOptions {
  /** Where the registry's API is, `https://host:port`. Nothing is added to a request that goes anywhere else. */
  readonly origin: string
  /** `host[:port]`, as credentials are looked up. */
  readonly registry: string
  readonly side: Side
  readonly credentials?: CredentialProvider | undefined
  /**
   * For token requests: a transport that adds no credential, and follows no redirect to another origin, as those requests
   * carry one themselves. It retries: what of it fails is final for whoever sent the request that needed a token.
   */
  readonly tokenSend: Send
  /** Milliseconds that only grow; for tests. */
  readonly now?: () => number
}

/** What a request was sent with. */
interface Sent {
  readonly scheme?: Scheme
  readonly held?: Held
  readonly header?: string
  readonly token?: {readonly value: string; readonly fresh: boolean}
}

/** Nothing known, stale token, wider scope, three credentials, a change of scheme: more than that is a loop. */
const ROUNDS = 8
/** The share of a token's life after which it is renewed; streams take long and cannot be sent again. */
const RENEW_AT = 0.8
const RENEW_AT_FOR_STREAMS = 0.5

/**
 * Answers a registry's challenges (RFC 9110 11.6, distribution auth/token.md), and sends what it learnt ahead of the next
 * one. Credentials go to the registry's own origin and to the realm that its own challenge names, and nowhere else.
 *
 * A 401 that no credential can mend is returned: the account lacks a right, or only the caller can send its stream again
 * (by then the token that was refused is forgotten).
 * @throws {MirrorError} AUTH_REQUIRED where a credential is needed and none is to be had, AUTH_FAILED where all are refused,
 * DENIED where the token server gives no token for the repository, those of `requestToken`, `parseRealm` and the provider
 */
export function authorizing(options: AuthorizeOptions): Middleware {
  return (next) => {
    const {origin, registry, side, tokenSend, now = () => performance.now()} = options
    const credentials = heldCredentials(registry, options.credentials)
    const tokens = bearerTokens({
      now,
      request: (request, signal) => requestToken(request, {send: tokenSend, registry, side, signal}),
    })
    const alone = firstAlone()
    const learnt = learntScheme({origin, registry, side})
    let answered = false

    /** Undefined where somebody else's trial of the credential was waited for. */
    const tokenFor = async (request: HttpRequest, realm: TokenRealm, held: Held): Promise<Sent['token']> => {
      const {signal} = request
      const renewAt = isStream(request) ? RENEW_AT_FOR_STREAMS : RENEW_AT
      let scopes = learnt.scopesOf(request.scopes)
      for (;;) {
        const work = async () => {
          const got = await tokens.get({realm, scopes, held}, {renewAt, signal})
          if (held.standing === 'untried') {
            if (got.kind === 'granted') held.standing = 'admitted'
            else if (got.status !== 403) held.standing = 'refused'
          }
          return got
        }
        const got = await alone(held, work, {signal})
        if (got === undefined) return undefined
        if (got.kind === 'granted') return {value: got.token, fresh: got.fresh}
        // A mount also reads from another repository; without that right the registry just opens an upload instead.
        const narrower = writingScopes(scopes)
        if (isTaken(held) && narrower.length < scopes.length) {
          scopes = narrower
          continue
        }
        const other = await credentials.replacement(held, {repository: repositoryOf(scopes), signal})
        if (other !== undefined) return undefined
        throw authRefused({registry, side, held, tokenServer: {host: realm.host, ...got}})
      }
    }

    const prepare = async (request: HttpRequest, challenged: boolean): Promise<Sent> => {
      const {signal} = request
      const repository = repositoryOf(request.scopes)
      for (;;) {
        const scheme = learnt.current()
        if (scheme === undefined) return {}
        const held = await credentials.current(repository, {signal})
        const {credential} = held
        const useless =
          credential === undefined ? challenged && scheme.kind === 'basic' : held.standing === 'refused'
        if (useless) {
          if ((await credentials.replacement(held, {repository, signal})) === undefined) {
            throw authRefused({registry, side, held})
          }
          continue
        }
        if (credential?.kind === 'bearer') {
          if (!isHeaderToken(credential.token)) throw authUnusable({registry, side, credential})
          return {scheme, held, header: bearerHeader(credential.token)}
        }
        if (scheme.kind === 'basic') {
          if (credential === undefined) return {scheme, held}
          if (credential.kind !== 'basic') throw authUnusable({registry, side, credential})
          return {scheme, held, header: basicHeader(credential.username, credential.password)}
        }
        const token = await tokenFor(request, scheme.realm, held)
        if (token !== undefined) return {scheme, held, header: bearerHeader(token.value), token}
      }
    }

    const exchange = async (request: HttpRequest, sent: Sent): Promise<HttpResponse | undefined> => {
      const {held, header} = sent
      const work = async (): Promise<HttpResponse> => {
        const response = await next(header === undefined ? request : withHeader(request, header))
        answered = true
        if (held === undefined) return response
        if (response.status === 401) {
          if (held.standing === 'untried' && header !== undefined) held.standing = 'refused'
        } else if (response.status < 500) {
          held.standing = 'proven'
        }
        return {
          ...response,
          secrets: [...secretsOf(held.credential), ...(sent.token ? [sent.token.value] : [])],
        }
      }
      return held === undefined ? await work() : await alone(held, work, {signal: request.signal})
    }

    /** Whether the registry turns the credential away as such, not only this request. */
    const isRefusedAtAll = async (sent: Sent, signal: AbortSignal | undefined): Promise<boolean> => {
      const request = ping(origin, signal)
      const response = await next(sent.header === undefined ? request : withHeader(request, sent.header))
      await response.discard()
      return response.status === 401
    }

    /** Whether sending again makes sense, after whatever could be learnt or changed. */
    const learn = async (request: HttpRequest, sent: Sent, response: HttpResponse): Promise<boolean> => {
      if (sent.token !== undefined) tokens.drop(sent.token.value)
      const challenge = chooseChallenge(parseChallenges(response.headers('www-authenticate')))
      if (challenge === undefined) return false
      const known = learnt.adopt(challenge)
      if (isStream(request)) return false
      const {held} = sent
      if (sent.scheme !== known || held === undefined) {
        if (request.scopes.length === 0) learnt.widen(request.scopes, challenge)
        return true
      }
      const {credential} = held
      if (sent.token !== undefined) {
        if (!sent.token.fresh) return true
        const insufficient = challenge.parameters.get('error') === 'insufficient_scope'
        if (insufficient && learnt.widen(request.scopes, challenge)) return true
        if (credential !== undefined && (insufficient || held.standing === 'proven')) return false
      } else if (credential !== undefined && held.standing === 'proven') {
        if (credential.kind === 'bearer' || !(await isRefusedAtAll(sent, request.signal))) return false
      }
      const wanted = {repository: repositoryOf(request.scopes), signal: request.signal}
      if ((await credentials.replacement(held, wanted)) !== undefined) return true
      if (sent.token !== undefined) return false
      throw authRefused({registry, side, held})
    }

    const attempt: Send = async (request) => {
      for (let round = 1; ;) {
        const sent = await prepare(request, round > 1)
        const response = await exchange(request, sent)
        if (response === undefined) continue
        if (response.status !== 401) return response
        // Its connection is free again before anybody is asked for a password.
        const refusal = await bufferedResponse(response, {authorized: sent.held?.credential !== undefined})
        if (round === ROUNDS || !(await learn(request, sent, refusal))) return refusal
        round += 1
      }
    }

    return async (request) => {
      if (request.anonymous === true || request.url.origin !== origin) return await next(request)
      if (isStream(request) && !answered) await (await attempt(ping(origin, request.signal))).discard()
      return await attempt(request)
    }
  }
}

function isTaken({standing}: Held): boolean {
  return standing === 'admitted' || standing === 'proven'
}

function isStream({body}: HttpRequest): boolean {
  return body !== undefined && 'stream' in body
}

function withHeader(request: HttpRequest, authorization: string): HttpRequest {
  return {
    ...request,
    headers: {...request.headers, authorization},
  }
}

function ping(origin: string, signal: AbortSignal | undefined): HttpRequest {
  return {
    method: 'GET',
    url: {origin, path: '/v2/'},
    scopes: [],
    signal,
  }
}
