import {MirrorError, type Side} from '../model/index.js'
import {describeCredential, type Credential} from './credential.js'
import type {Held} from './held-credentials.js'

export interface Refusal {
  readonly registry: string
  readonly side: Side
  readonly held: Held
  /** Set if the token server refused, not the registry itself. */
  readonly tokenServer?: {readonly host: string; readonly status: number; readonly said: string | undefined}
}

/** A place that was searched for a credential, for the list in an error. */
export interface LookedIn {
  /** A file's path, a variable, a credential helper. */
  readonly place: string
  readonly found: 'no file' | 'no entry' | 'unreadable' | 'malformed' | 'helper failed' | 'credential'
  /** The reason, if `found` does not say it. */
  readonly detail?: string
}

/** Returns AUTH_REQUIRED with every place that was searched. */
export function authRequired(options: {
  readonly registry: string
  readonly side: Side
  readonly lookedIn?: readonly LookedIn[]
}): MirrorError {
  const {registry, side, lookedIn = []} = options
  const places = lookedIn.map(
    ({place, found, detail}) => `${place}: ${detail === undefined ? found : `${found} (${detail})`}`,
  )
  const where = places.length === 0 ? '' : `; looked in ${places.join('; ')}`
  return new MirrorError('AUTH_REQUIRED', `${registry} asks for a credential and none was found${where}`, {
    side,
    advice: {kind: 'log-in'},
  })
}

/** Returns AUTH_REQUIRED, AUTH_FAILED or DENIED for a refusal that cannot be mended. */
export function authRefused({registry, side, held, tokenServer}: Refusal): MirrorError {
  const {credential, standing} = held
  if (credential === undefined) return authRequired({registry, side})
  const who = describeCredential(credential)
  const by = tokenServer === undefined ? registry : `token server ${tokenServer.host} of ${registry}`
  const said = tokenServer?.said === undefined ? '' : `: ${tokenServer.said}`
  if (tokenServer !== undefined && (standing === 'proven' || standing === 'admitted')) {
    return new MirrorError('DENIED', `${by} gives no token to ${who}${said}`, {
      side,
      advice: {kind: 'check-rights'},
    })
  }
  return new MirrorError('AUTH_FAILED', `${by} refuses ${who}${said}`, {
    side,
    advice: {kind: 'check-credential'},
  })
}

/** Returns CREDENTIALS_INVALID for a credential of a kind that the registry cannot use. */
export function authUnusable(options: {
  readonly registry: string
  readonly side: Side
  readonly credential: Credential
}): MirrorError {
  return new MirrorError(
    'CREDENTIALS_INVALID',
    `${options.registry} cannot be given ${describeCredential(options.credential)}: it asks for a user name and a password`,
    {side: options.side, advice: {kind: 'use-password'}},
  )
}
