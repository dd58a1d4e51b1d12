import {isPlaceFailure} from './places.js'
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
 * @throws {MirrorError} NOT_FOUND, and the errors of the registries
 */
export async function resolveReference(
  reference: Reference,
  {hosts, from, signal}: ResolveReference,
): Promise<Resolved> {
  const targets = from.map(({tag, ...rest}): Reference =>
    rest.digest === undefined && tag !== undefined ? {...rest, tag} : rest,
  )
  const looked: string[] = []
  const failures: MirrorError[] = []
  for (const [at, target] of targets.entries()) {
    const {client} = hosts.at(target.registry)
    try {
      const descriptor = await resolveManifest(client, {target, signal})
      if (descriptor !== undefined) return {descriptor, places: from.slice(at).map(placeOf)}
      looked.push(`not at ${client.origin} (404, as ${withoutHost(target)})`)
    } catch (error) {
      if (!isPlaceFailure(error)) throw error
      failures.push(error)
      looked.push(error.message)
    }
  }
  throw notFound(reference, {from, looked, failures})
}

/** The reasons of all places that were searched; the code of the last failure, if there is one. */
function notFound(
  reference: Reference,
  {
    from,
    looked,
    failures,
  }: {
    readonly from: readonly Reference[]
    readonly looked: readonly string[]
    readonly failures: readonly MirrorError[]
  },
): MirrorError {
  const name = formatReference(reference)
  const [only, ...others] = from
  const last = failures.at(-1)
  const isOwn = only !== undefined && others.length === 0 && formatReference(only) === name
  if (isOwn && last !== undefined) return last
  return new MirrorError(
    last?.code ?? 'NOT_FOUND',
    isOwn
      ? `${name} is not in its registry`
      : `${name}: ${looked.join('; ') || 'there is no place to fetch it from'}`,
    {side: 'source', advice: last?.advice ?? {kind: 'check-reference'}, cause: last},
  )
}

/** As the place is asked for it: `team/app:v1`. */
function withoutHost({repository, tag, digest}: Reference): string {
  return `${repository}${digest === undefined ? `:${tag ?? ''}` : `@${digest}`}`
}

function placeOf({registry, repository}: Reference): Place {
  return {registry, repository}
}
