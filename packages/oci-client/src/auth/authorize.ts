import type {HttpRequest, HttpResponse, Middleware, Send} from '../http/send.js'
import type {Side} from '../model/index.js'
import {authorizationFor, isStream, type How, type Sent} from './authorization.js'
import {bearerTokens, type BearerTokens} from './bearer-tokens.js'
import {bufferedResponse} from './buffered-response.js'
import {parseChallenges, type Challenge} from './challenge.js'
import {secretsOf, type CredentialProvider} from './credential.js'
import {firstAlone} from './first-alone.js'
import {heldCredentials, letWriteTry, type HeldCredentials} from './held-credentials.js'
import {chooseChallenge, learntScheme, type LearntScheme, type Scheme} from './learnt-scheme.js'
import {authRefused} from './refusal.js'
import {repositoryOf} from './scope.js'
import {requestToken} from './token-request.js'

export interface AuthorizeOptions {
  /** Origin of the registry's API, `https://host:port`. No authorization is added to a request to any other origin. */
  readonly origin: string
  /** `host[:port]`, the key by which credentials are looked up. */
  readonly registry: string
  readonly side: Side
  readonly credentials?: CredentialProvider
  /**
   * Transport for token requests. It adds no credential, and follows no redirect to another origin, because these
   * requests carry a credential themselves.
   * It retries, and marks its failures as final for the request that needed the token.
   */
  readonly tokenSend: Send
  /** Milliseconds of a monotonic clock; for tests. */
  readonly now?: () => number
}

const PING = '/v2/'
/** Missing content is answered with 404 for any credential, so only this many logins are tried on a 404. */
const MOST_IN_VAIN = 5
/** Nothing known, stale token, wider scope, three credentials, a change of scheme: more rounds than that are a loop. */
const ROUNDS = 8

/**
 * Answers a registry's challenges (RFC 9110 11.6, distribution auth/token.md), and authorizes later requests ahead.
 * Credentials go only to the registry's own origin and to the realm that its own challenge names. Returns a 401 that no
 * credential can mend: the account lacks a right, or only the caller can send its stream again. The refused token is
 * then already forgotten.
 * @throws {MirrorError} AUTH_REQUIRED if a credential is needed and none was found; AUTH_FAILED if all are refused; DENIED
 * if the token server gives no token for the repository; the errors of `requestToken`, `parseRealm` and the provider
 */
export function authorizing(options: AuthorizeOptions): Middleware {
  return (next) => {
    const registry = new AuthorizedRegistry(options, next)
    return (request) => registry.send(request)
  }
}

/** The requests to one registry, with everything that was learnt of its logins. */
class AuthorizedRegistry {
  readonly #options: AuthorizeOptions
  readonly #next: Send
  readonly #credentials: HeldCredentials
  readonly #tokens: BearerTokens
  readonly #alone = firstAlone()
  readonly #learnt: LearntScheme
  readonly #prepare: (request: HttpRequest, how: How) => Promise<Sent>
  #answered = false
  /** Requests that were refused both without and with the login. */
  #vain = 0

  constructor(options: AuthorizeOptions, next: Send) {
    const {origin, registry, side, tokenSend, now = () => performance.now()} = options
    this.#options = options
    this.#next = next
    this.#credentials = heldCredentials(registry, options.credentials)
    this.#tokens = bearerTokens({
      now,
      request: (request, signal) => requestToken(request, {send: tokenSend, registry, side, signal}),
    })
    this.#learnt = learntScheme({origin, registry, side})
    this.#prepare = authorizationFor({
      registry,
      side,
      credentials: this.#credentials,
      tokens: this.#tokens,
      learnt: this.#learnt,
      alone: this.#alone,
    })
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const {origin} = this.#options
    if (request.anonymous === true || request.url.origin !== origin) return await this.#next(request)
    if (isStream(request) && !this.#answered)
      await (await this.#attempt(ping(origin, request.signal))).discard()
    const response = await this.#attempt(request)
    if (request.url.path === PING && response.status < 300 && this.#learnt.current() === undefined) {
      const challenge = challengeOf(response)
      if (challenge !== undefined) this.#learnt.adopt(this.#learnt.schemeOf(challenge))
    }
    return await this.#orUnasked(request, response)
  }

  /** Sends a request until no challenge can be answered any more. */
  async #attempt(request: HttpRequest, first: How = {}): Promise<HttpResponse> {
    let how = first
    let wasBare = false
    for (let round = 1; ;) {
      const sent = await this.#prepare(request, how)
      const response = await this.#exchange(request, sent)
      if (response === undefined) continue
      if (response.status !== 401) return response
      // Frees the connection before a person is asked for a password.
      const refusal = await bufferedResponse(response, {authorized: sent.held?.credential !== undefined})
      if (round === ROUNDS) return refusal
      const next = await this.#learn(request, sent, refusal)
      if (next === undefined || (next.bare === true && wasBare)) return refusal
      wasBare ||= next.bare === true
      how = {...next, unasked: how.unasked}
      round += 1
    }
  }

  /** Sends a request once. Returns undefined if it waited for another trial of its credential instead. */
  async #exchange(request: HttpRequest, sent: Sent): Promise<HttpResponse | undefined> {
    const {held, header} = sent
    const work = async (): Promise<HttpResponse> => {
      const response = await this.#next(header === undefined ? request : withHeader(request, header))
      this.#answered = true
      if (held === undefined) return response
      if (response.status === 401) {
        if (held.standing === 'untried' && header !== undefined) {
          held.standing = 'refused'
          held.refusedForRead ??= isQuestion(request)
        }
      } else if (response.status < 500) {
        held.standing = 'proven'
      }
      return {
        ...response,
        secrets: [...secretsOf(held.credential), ...(sent.token ? [sent.token.value] : [])],
      }
    }
    return held === undefined ? await work() : await this.#alone(held, work, {signal: request.signal})
  }

  /** Learns from a 401 and returns how to send again, or undefined if sending again makes no sense. */
  async #learn(request: HttpRequest, sent: Sent, response: HttpResponse): Promise<How | undefined> {
    if (sent.token !== undefined) this.#tokens.drop(sent.token.value)
    const challenge = challengeOf(response)
    if (challenge === undefined) return undefined
    // Harbor answers so to a token that it no longer knows. Without a token it asks for a new one.
    if (sent.token !== undefined && challenge.scheme === 'basic')
      return isStream(request) ? undefined : {bare: true}
    const known = this.#learnt.schemeOf(challenge)
    // The challenge of a refused mount names the other repository, and a mount is only a short cut.
    const current = this.#learnt.current()
    if (isMount(request) && current !== undefined && known !== current) return undefined
    this.#learnt.adopt(known)
    return (await this.#mayMend(request, sent, {challenge, known})) ? {challenged: true} : undefined
  }

  /** Returns true if the answer may be another if the request is sent again. @throws {MirrorError} if every login is refused */
  async #mayMend(
    request: HttpRequest,
    sent: Sent,
    {challenge, known}: {readonly challenge: Challenge; readonly known: Scheme},
  ): Promise<boolean> {
    if (isStream(request)) return false
    const {registry, side} = this.#options
    const {held} = sent
    if (sent.scheme !== known || held === undefined) {
      if (request.scopes.length === 0) this.#learnt.widen(request.scopes, challenge)
      return true
    }
    const {credential} = held
    if (sent.token !== undefined) {
      if (!sent.token.fresh) return true
      const insufficient = challenge.parameters.get('error') === 'insufficient_scope'
      if (insufficient && this.#learnt.widen(request.scopes, challenge)) return true
      if (credential !== undefined && (insufficient || held.standing === 'proven')) return false
    } else if (credential !== undefined && held.standing === 'proven') {
      if (credential.kind === 'bearer' || !(await this.#isRefusedAtAll(sent, request.signal))) return false
    }
    const wanted = {repository: repositoryOf(request.scopes), signal: request.signal}
    if ((await this.#credentials.replacement(held, wanted)) !== undefined) return true
    if (sent.token !== undefined) return false
    throw authRefused({registry, side, held})
  }

  /** Returns true if the registry refuses the credential for its base page too, not only for this request. */
  async #isRefusedAtAll(sent: Sent, signal: AbortSignal | undefined): Promise<boolean> {
    const request = ping(this.#options.origin, signal)
    const response = await this.#next(sent.header === undefined ? request : withHeader(request, sent.header))
    await response.discard()
    return response.status === 401
  }

  /** Sends a request that was refused without a challenge once more, with the login. */
  async #orUnasked(request: HttpRequest, response: HttpResponse): Promise<HttpResponse> {
    const {origin, registry, side} = this.#options
    const {status} = response
    const {signal} = request
    if (!this.#mayLackLogin(request, response)) return response
    // Counted before the request, because many may come at once.
    if (status === 404) this.#vain += 1
    const held = await this.#credentials.current(repositoryOf(request.scopes), {signal})
    if (held.credential?.kind !== 'basic') return response
    letWriteTry(held, request)
    if (held.standing === 'refused' && status !== 401) return response
    await response.discard()
    if (held.standing === 'refused') throw authRefused({registry, side, held})
    const base = await this.#next(ping(origin, signal))
    await base.discard()
    const challenge = challengeOf(base)
    if (challenge !== undefined) {
      this.#learnt.adopt(this.#learnt.schemeOf(challenge))
      return await this.#attempt(request, {challenged: true})
    }
    const unasked: Scheme = {kind: 'basic'}
    const second = await this.#attempt(request, {unasked})
    const isBetter = second.status < 300 || (second.status < 500 && second.status !== status)
    if (isBetter && second.status !== 401) this.#learnt.adopt(unasked)
    return second
  }

  /** Returns true if a login may mend a refusal that asks for none. */
  #mayLackLogin(request: HttpRequest, response: HttpResponse): boolean {
    const {status} = response
    if (status !== 401 && status !== 403 && (status !== 404 || this.#vain >= MOST_IN_VAIN)) return false
    if (isStream(request) || this.#learnt.current() !== undefined) return false
    return challengeOf(response) === undefined
  }
}

function challengeOf(response: HttpResponse): Challenge | undefined {
  return chooseChallenge(parseChallenges(response.headers('www-authenticate')))
}

/** Returns true if the request asks for content. The base page is none: it refuses only those that it does not know. */
function isQuestion({method, url}: HttpRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && url.path !== PING
}

/** Returns true for a mount: no other request names two repositories. */
function isMount({scopes}: HttpRequest): boolean {
  return scopes.length > 1
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
    url: {origin, path: PING},
    scopes: [],
    signal,
  }
}
