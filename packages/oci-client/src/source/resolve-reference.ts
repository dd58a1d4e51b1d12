import {firstPlace} from './places.js'
import type {SourceHosts} from './source-hosts.js'
import {resolveManifest} from '../client/read-manifest.js'
import {
  formatReference,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Reference,
  type Place,
} from '../model/index.js'

export interface Resolved {
  readonly descriptor: Descriptor
  /** The place where it was found, followed by the places that were not asked. */
  readonly places: readonly Place[]
}

export interface ResolveReference extends CallOptions {
  readonly hosts: SourceHosts
  /** The places to fetch it from, in this order. */
  readonly from: readonly Reference[]
}

/**
 * Returns the descriptor of a reference: one HEAD if the first place has it.
 * A digest wins over a tag beside it, as with docker and containerd, because the tag may have moved.
 * @throws {MirrorError} NOT_FOUND, and those of the registries
 */
export async function resolveReference(
  reference: Reference,
  {hosts, from, signal}: ResolveReference,
): Promise<Resolved> {
  const targets = from.map(({tag, ...rest}): Reference =>
    rest.digest === undefined && tag !== undefined ? {...rest, tag} : rest,
  )
  const first = await firstPlace(targets, (target) =>
    resolveManifest(hosts.at(target.registry).client, {target, signal}),
  )
  if (first !== undefined) return {descriptor: first.found, places: from.slice(first.at).map(placeOf)}
  throw new MirrorError('NOT_FOUND', `${formatReference(reference)} is not in its registry`, {
    side: 'source',
    advice: {kind: 'check-reference'},
  })
}

function placeOf({registry, repository}: Reference): Place {
  return {registry, repository}
}
