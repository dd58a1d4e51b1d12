import type {HttpRequest} from '../http/send.js'
import type {Side} from '../model/index.js'
import {basicHeader, bearerHeader, isHeaderToken} from './authorization-header.js'
import type {BearerTokens} from './bearer-tokens.js'
import type {FirstAlone} from './first-alone.js'
import {letWriteTry, type Held, type HeldCredentials} from './held-credentials.js'
import type {LearntScheme, Scheme} from './learnt-scheme.js'
import {authRefused, authUnusable} from './refusal.js'
import {repositoryOf, writingScopes} from './scope.js'
import type {TokenRealm} from './token-realm.js'

/** The authorization that a request is sent with. */
export interface Sent {
  readonly scheme?: Scheme
  readonly held?: Held
  readonly header?: string
  readonly token?: Token
}

interface Token {
  readonly value: string
  readonly fresh: boolean
}

/** The way to send a request, beside the scheme that was learnt from the registry. */
export interface How {
  /** The registry has asked for a credential. */
  readonly challenged?: boolean
  /** Send without the token that the registry did not understand. */
  readonly bare?: boolean
  /** Send the login although no challenge asked for it. */
  readonly unasked?: Scheme
}

export interface AuthorizationOptions {
  readonly registry: string
  readonly side: Side
  readonly credentials: HeldCredentials
  readonly tokens: BearerTokens
  readonly learnt: LearntScheme
  readonly alone: FirstAlone
}

/** The share of a token's life after which it is renewed. Streams need more time and cannot be sent again. */
const RENEW_AT = 0.8
const RENEW_AT_FOR_STREAMS = 0.5
/** The most credentials that one request tries. */
const ROUNDS = 8

/**
 * Returns the authorization for a request, and asks a token server for a token if it needs one.
 * @throws {MirrorError} AUTH_REQUIRED, AUTH_FAILED, DENIED, CREDENTIALS_INVALID, and the errors of the token server and
 * the provider
 */
export function authorizationFor({
  registry,
  side,
  credentials,
  tokens,
  learnt,
  alone,
}: AuthorizationOptions): (request: HttpRequest, how: How) => Promise<Sent> {
  /** Returns no token if it waited for another trial of the credential, or if there is another credential now. */
  const tokenFor = async (
    request: HttpRequest,
    realm: TokenRealm,
    held: Held,
  ): Promise<Token | 'waited' | 'replaced'> => {
    const {signal} = request
    const renewAt = isStream(request) ? RENEW_AT_FOR_STREAMS : RENEW_AT
    let scopes = learnt.scopesOf(request.scopes)
    const isPlaceholder = held.credential !== undefined && request.scopes.length === 0 && scopes.length > 0
    for (;;) {
      const work = async () => {
        const got = await tokens.get({realm, scopes, held}, {renewAt, signal})
        if (held.standing === 'untried' && !(isPlaceholder && got.kind === 'refused')) {
          if (got.kind === 'granted') held.standing = 'admitted'
          else if (got.status !== 403) held.standing = 'refused'
        }
        return got
      }
      const got = await alone(held, work, {signal})
      if (got === undefined) return 'waited'
      if (got.kind === 'granted') return {value: got.token, fresh: got.fresh}
      if (isPlaceholder) {
        // No account may have the rights that a registry names for its base page, so the first real rights decide.
        throw authRefused({
          registry,
          side,
          held: {...held, standing: 'admitted'},
          tokenServer: {host: realm.host, ...got},
        })
      }
      // A mount also reads from another repository. Without that right the registry just opens an upload instead.
      const narrower = writingScopes(scopes)
      if (isTaken(held) && narrower.length < scopes.length) {
        scopes = narrower
        continue
      }
      // By the request's own repository, because the credential was looked up by it and a challenge may name another.
      const other = await credentials.replacement(held, {repository: repositoryOf(request.scopes), signal})
      if (other !== undefined) return 'replaced'
      throw authRefused({registry, side, held, tokenServer: {host: realm.host, ...got}})
    }
  }

  return async (request, how) => {
    const {signal} = request
    const repository = repositoryOf(request.scopes)
    let replaced = 0
    for (;;) {
      const scheme = how.unasked ?? learnt.current()
      if (scheme === undefined || how.bare === true) return {}
      const held = await credentials.current(repository, {signal})
      const {credential} = held
      letWriteTry(held, request)
      const useless =
        credential === undefined
          ? how.challenged === true && scheme.kind === 'basic'
          : held.standing === 'refused'
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
      if (typeof token === 'object') return {scheme, held, header: bearerHeader(token.value), token}
      if (token === 'replaced' && ++replaced >= ROUNDS) throw authRefused({registry, side, held})
    }
  }
}

function isTaken({standing}: Held): boolean {
  return standing === 'admitted' || standing === 'proven'
}

export function isStream({body}: HttpRequest): boolean {
  return body !== undefined && 'stream' in body
}
