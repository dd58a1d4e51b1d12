import {limits, type Side} from '../model/index.js'
import type {Challenge} from './challenge.js'
import {coversScopes, normaliseScopes, splitScopes} from './scope.js'
import {parseRealm, sameRealm, type TokenRealm} from './token-realm.js'

/** The authorization scheme that a registry asks for. */
export type Scheme = {readonly kind: 'basic'} | {readonly kind: 'bearer'; readonly realm: TokenRealm}

/** The scheme and scopes learnt from a registry's challenges so far. */
export interface LearntScheme {
  /** Returns the same object until a change; undefined before the first challenge. */
  readonly current: () => Scheme | undefined
  /**
   * Returns the scheme of a challenge: the current object if it is the same.
   * @throws {MirrorError} PROTOCOL for a realm that no credential may go to
   */
  readonly schemeOf: (challenge: Challenge) => Scheme
  /** Sends later requests by this scheme; undefined sends them without authorization. */
  readonly adopt: (scheme: Scheme | undefined) => void
  /**
   * Returns the scopes that a request is known to need: the named ones, and those that the registry asked for beyond
   * them.
   */
  readonly scopesOf: (named: readonly string[]) => readonly string[]
  /** Adds the scopes of a challenge to the named ones; returns false if that changes nothing. */
  readonly widen: (named: readonly string[], challenge: Challenge) => boolean
}

export function learntScheme(options: {
  readonly origin: string
  readonly registry: string
  readonly side: Side
}): LearntScheme {
  const wider = new Map<string, readonly string[]>()
  let scheme: Scheme | undefined

  const scopesOf = (named: readonly string[]): readonly string[] => wider.get(keyOf(named)) ?? named

  return {
    current: () => scheme,
    schemeOf: (challenge) => {
      if (challenge.scheme === 'basic') return scheme?.kind === 'basic' ? scheme : {kind: 'basic'}
      const realm = parseRealm(challenge.parameters, options)
      return scheme?.kind === 'bearer' && sameRealm(scheme.realm, realm) ? scheme : {kind: 'bearer', realm}
    },
    adopt: (wanted) => {
      scheme = wanted
    },
    scopesOf,
    widen: (named, challenge) => {
      const scopes = scopesOf(named)
      const challenged = splitScopes(challenge.parameters.get('scope'))
      if (coversScopes(scopes, challenged)) return false
      const [oldest] = wider.keys()
      if (wider.size >= limits.tokensKept && oldest !== undefined) wider.delete(oldest)
      wider.set(keyOf(named), normaliseScopes([...named, ...challenged]))
      return true
    },
  }
}

/** Returns the challenge to answer. A token is preferred to a password, which would go along with every request. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({scheme, parameters}) => scheme === 'bearer' && parameters.has('realm')) ??
    challenges.find(({scheme}) => scheme === 'basic')
  )
}

function keyOf(scopes: readonly string[]): string {
  return normaliseScopes(scopes).join(' ')
}
