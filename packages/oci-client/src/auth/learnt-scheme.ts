import {limits, type Side} from '../model/index.js'
import type {Challenge} from './challenge.js'
import {coversScopes, normaliseScopes, splitScopes} from './scope.js'
import {parseRealm, sameRealm, type TokenRealm} from './token-realm.js'

/** How a registry wants to be asked. */
export type Scheme = {readonly kind: 'basic'} | {readonly kind: 'bearer'; readonly realm: TokenRealm}

/** What a registry's challenges have taught so far. */
export interface LearntScheme {
  /** The same object for as long as nothing changes; undefined before the first challenge. */
  readonly current: () => Scheme | undefined
  /**
   * The scheme of a challenge: the current one if it is the same.
   * @throws {MirrorError} PROTOCOL for a realm that no credential may go to
   */
  readonly schemeOf: (challenge: Challenge) => Scheme
  /** From now on requests are sent by this scheme; undefined: without any. */
  readonly adopt: (scheme: Scheme | undefined) => void
  /** The scopes a request is known to need: those it names, and those that the registry wanted beyond them. */
  readonly scopesOf: (named: readonly string[]) => readonly string[]
  /** Puts the scopes of a challenge beside those that are named; false where that changes nothing. */
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

/** The challenge to answer: a token is preferred to a password that would go along with every request. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({scheme, parameters}) => scheme === 'bearer' && parameters.has('realm')) ??
    challenges.find(({scheme}) => scheme === 'basic')
  )
}

function keyOf(scopes: readonly string[]): string {
  return normaliseScopes(scopes).join(' ')
}
