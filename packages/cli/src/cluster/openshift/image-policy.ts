import type {Policy, Requirement} from '../containers/policy.js'
import {ofKind, textsAt, type Manifest} from './manifests.js'
import {checkScopes, isInScope} from './scopes.js'

const ACCEPT: readonly Requirement[] = [{type: 'insecureAcceptAnything'}]
const REJECT: readonly Requirement[] = [{type: 'reject'}]
const SIGNED: readonly Requirement[] = [{type: 'sigstoreSigned'}]

export interface PolicyInput {
  readonly rejected: readonly string[]
  readonly allowed: readonly string[]
  /** Scopes of ClusterImagePolicy objects. */
  readonly signed: readonly string[]
  /** The repository of the release image. */
  readonly payload: string
}

/**
 * The policy.json that the Machine Config Operator writes. Scopes are names as pods have them, never names of mirrors.
 * @throws {Error} worded as the operator does
 */
export function imagePolicy({rejected, allowed, signed, payload}: PolicyInput): Policy {
  if (allowed.length > 0 && rejected.length > 0 && !(allowed.length === 1 && allowed[0] === payload))
    throw new Error(
      'invalid images config: only one of AllowedRegistries or BlockedRegistries may be specified',
    )
  if (allowed.length > 0 || rejected.length > 0) checkSigned({rejected, allowed, signed})
  checkScopes(rejected, 'blocked')
  checkScopes(allowed, 'allowed')
  const scopes = new Map<string, readonly Requirement[]>()
  for (const scope of allowed) if (!signed.includes(scope)) scopes.set(scope, ACCEPT)
  for (const scope of rejected) scopes.set(scope, REJECT)
  for (const scope of signed) scopes.set(scope, [...(scopes.get(scope) ?? []), ...SIGNED])
  const isClosed = allowed.length > 0 && rejected.length === 0
  return {default: isClosed ? REJECT : ACCEPT, transports: new Map([['docker', scopes]])}
}

/** The scopes for which ClusterImagePolicy objects demand a signature. */
export function signedScopes(manifests: readonly Manifest[]): readonly string[] {
  const all = ofKind(manifests, 'ClusterImagePolicy').flatMap((manifest) =>
    textsAt(manifest, ['spec', 'scopes']),
  )
  return [...new Set(all.map(({text}) => text))]
}

function checkSigned({rejected, allowed, signed}: Omit<PolicyInput, 'payload'>): void {
  const outside = signed.find((scope) => !allowed.some((outer) => isInScope(scope, outer)))
  if (allowed.length > 0 && outside !== undefined)
    throw new Error(
      `clusterimagePolicy configured for the scope ${outside} is not nested inside allowedRegistries`,
    )
  const blocked = signed.find((scope) => rejected.some((outer) => isInScope(scope, outer)))
  if (blocked !== undefined)
    throw new Error(
      `clusterimagePolicy configured for the scope ${blocked} is nested inside blockedRegistries`,
    )
}
