import {formatReference, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'

/** An image that is to be called by a name. */
export interface Claim {
  readonly source: string
  readonly target: Reference
  /** The same for the same content. */
  readonly identity: string
}

/**
 * Refuses two different images for one name.
 * @throws {MirrorError} NAME_COLLISION naming both
 */
export function refuseCollisions(claims: readonly Claim[]): void {
  const owners = new Map<string, Claim>()
  for (const claim of claims) {
    const name = claimed(claim.target)
    const owner = owners.get(name)
    if (owner === undefined) owners.set(name, claim)
    else if (owner.identity !== claim.identity) throw collision(owner, claim)
  }
}

/** A tag stands for itself; a digest that was asked for with it does not count. */
function claimed({registry, repository, tag, digest}: Reference): string {
  return formatReference({
    registry,
    repository,
    tag,
    digest: tag === undefined ? digest : undefined,
  })
}

function collision(one: Claim, other: Claim): MirrorError {
  return new MirrorError(
    'NAME_COLLISION',
    // A target in a file has no registry.
    `two different images would become ${claimed(one.target).replace(/^\//, '')}: ` +
      `${one.source} (${one.identity}) and ${other.source} (${other.identity})`,
    {advice: {kind: 'separate-names'}},
  )
}
