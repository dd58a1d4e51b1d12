import {attachedTo, referrersTag, type Digest, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {Gathered, ImageNode} from './gather.js'

/** The owners, then the referrers of them and of their platforms, transitively. */
export function withReferrers(
  owners: ReadonlySet<Gathered>,
  referrers: readonly Gathered[],
): ReadonlySet<Gathered> {
  return familyOf(owners, referrersAbout(referrers))
}

/** The referrers by the digest, or the referrers tag of the digest, that they are about. */
export function referrersAbout(referrers: readonly Gathered[]): ReadonlyMap<string, readonly Gathered[]> {
  const all = new Map<string, Gathered[]>()
  for (const referrer of referrers) {
    const {subject, name, shownAs} = referrer.image
    const about = subject ?? ownSubject(referrer)
    const key = about ?? attachedTo(name?.tag ?? '') ?? attachedTo(shownAs ?? '') ?? ''
    const others = all.get(key)
    if (others === undefined) all.set(key, [referrer])
    else others.push(referrer)
  }
  return all
}

/** The same as {@link withReferrers}, of referrers that are in order already. */
export function familyOf(
  owners: Iterable<Gathered>,
  about: ReadonlyMap<string, readonly Gathered[]>,
): ReadonlySet<Gathered> {
  const kept = new Set<Gathered>()
  const seen = new Set<ImageNode>()
  const digests: Digest[] = []
  const enter = (node: ImageNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    digests.push(node.manifest.descriptor.digest)
    for (const child of node.children) enter(child)
  }
  const keep = (gathered: Gathered): void => {
    if (kept.has(gathered)) return
    kept.add(gathered)
    if ('node' in gathered) enter(gathered.node)
  }
  for (const owner of owners) keep(owner)
  for (let digest = digests.pop(); digest !== undefined; digest = digests.pop()) {
    for (const key of [digest, referrersTag(digest)])
      for (const referrer of about.get(key) ?? []) keep(referrer)
  }
  return kept
}

/** The digest that an image's own manifest is about. A registry's layout has such images under names by digest. */
export function ownSubject(gathered: Gathered): Digest | undefined {
  return 'node' in gathered ? gathered.node.manifest.subject?.digest : undefined
}

/** A nameless referrer, or a cosign signature, attestation or SBOM under the tag that cosign gives it. */
export function isReferrer({subject, name}: SourceImage): boolean {
  return subject !== undefined || attachedTo(name?.tag ?? '') !== undefined
}
