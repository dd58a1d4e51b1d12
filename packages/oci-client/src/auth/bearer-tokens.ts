import {limits} from '../model/index.js'
import type {Held} from './held-credentials.js'
import {normaliseScopes} from './scope.js'
import {singleFlight} from './single-flight.js'
import type {TokenRealm} from './token-realm.js'
import type {TokenGrant, TokenRequest} from './token-request.js'

interface TokenWanted {
  readonly realm: TokenRealm
  readonly scopes: readonly string[]
  readonly held: Held
}

interface TokenOptions {
  /** The share of its life after which a token is renewed. */
  readonly renewAt: number
  readonly signal?: AbortSignal
}

type BearerToken =
  | {readonly kind: 'granted'; readonly token: string; readonly fresh: boolean}
  | (TokenGrant & {kind: 'refused'})

/**
 * The tokens of one registry by realm, service, credential and scopes. Parallel calls for the same token share one
 * request.
 */
export interface BearerTokens {
  /** `fresh` is true if this call asked for the token, and false if it was remembered. */
  get(wanted: TokenWanted, options: TokenOptions): Promise<BearerToken>
  /** Forgets a token that the registry refused. */
  drop(token: string): void
}

interface Kept {
  readonly token: string
  /** Milliseconds of the clock below. */
  readonly since: number
  readonly life: number
}

export function bearerTokens(options: {
  readonly request: (request: TokenRequest, signal: AbortSignal) => Promise<TokenGrant>
  /** Milliseconds of a monotonic clock. Dates of token servers are ignored, because clocks differ in an air gap. */
  readonly now: () => number
}): BearerTokens {
  const {request, now} = options
  const kept = new Map<string, Kept>()
  const asking = singleFlight<TokenGrant>()

  const fetch = async (
    key: string,
    {realm, scopes, held}: TokenWanted,
    signal: AbortSignal,
  ): Promise<TokenGrant> => {
    // Life counts from before the request, because the server may have granted the token at any time since.
    const since = now()
    const grant = await request({realm, scopes, credential: held.credential}, signal)
    if (grant.kind === 'granted') {
      kept.delete(key)
      kept.set(key, {token: grant.token, life: grant.life, since})
      const [oldest] = kept.keys()
      if (kept.size > limits.tokensKept && oldest !== undefined) kept.delete(oldest)
    }
    return grant
  }

  return {
    get: async (wanted, {renewAt, signal}) => {
      const normal = {...wanted, scopes: normaliseScopes(wanted.scopes)}
      const {url, service} = wanted.realm
      const key = JSON.stringify([url.origin, url.path, service, wanted.held.id, normal.scopes])
      const known = kept.get(key)
      if (known !== undefined && now() - known.since < known.life * renewAt) {
        return {kind: 'granted', token: known.token, fresh: false}
      }
      const grant = await asking.run(key, (signal) => fetch(key, normal, signal), {signal})
      return grant.kind === 'granted' ? {kind: 'granted', token: grant.token, fresh: true} : grant
    },
    drop: (token) => {
      for (const [key, entry] of kept) if (entry.token === token) kept.delete(key)
    },
  }
}
