import {
  isDigest,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import {isAttestation, matches} from './platforms.js'

/** A platform of an index, as a lock file has it. */
export interface LockedPart {
  readonly platform: Platform
  readonly digest: Digest
  /** True if the run that wrote the lock file did not take it. */
  readonly leftOut: boolean
}

/** Returns the platforms of a lock file's indexes, by the reference of their lines. */
export function partsInLock(text: string): ReadonlyMap<string, readonly LockedPart[]> {
  const parts = new Map<string, LockedPart[]>()
  let name = ''
  for (const line of text.split(/\r?\n/)) {
    const [, platform, digest = '', leftOut] = /^# {3}(\S+) (\S+)( left out)?$/.exec(line) ?? []
    if (platform !== undefined && isDigest(digest)) {
      const [os = '', architecture = '', variant] = platform.split('/')
      const part = {platform: {os, architecture, variant}, digest, leftOut: leftOut !== undefined}
      parts.set(name, [...(parts.get(name) ?? []), part])
    } else if (!line.startsWith('#')) name = line
  }
  return parts
}

/** The same parts, of which only those of the wanted platforms were taken. */
export function narrowed(parts: readonly LockedPart[], wanted: readonly Platform[]): readonly LockedPart[] {
  if (wanted.length === 0) return parts
  return parts.map((part) => ({
    ...part,
    leftOut: part.leftOut || !wanted.some((platform) => matches(part.platform, platform)),
  }))
}

/**
 * Returns true if a manifest holds exactly the parts of an index that were taken, and not all were: an index of these, or the only
 * one itself. Attestations, which no lock file lists, do not count.
 */
export function standsFor(manifest: Manifest, parts: readonly LockedPart[]): boolean {
  if (manifest.kind === 'image') return isTaken([manifest.descriptor.digest], parts)
  const children = manifest.children.filter((child) => !isAttestation(child))
  return isTaken(
    children.map(({digest}) => digest),
    parts,
  )
}

/** Returns true if these are the digests of exactly the parts that were taken, and not all were. */
export function isTaken(digests: readonly Digest[], parts: readonly LockedPart[]): boolean {
  const taken = new Set(parts.filter(({leftOut}) => !leftOut).map(({digest}) => digest))
  const isCut = taken.size > 0 && parts.some(({leftOut}) => leftOut)
  return isCut && digests.length === taken.size && digests.every((digest) => taken.has(digest))
}

/** Returns an index's children without those that are left out, and without their attestations. */
export function childrenWithout(
  children: readonly Descriptor[],
  leftOut: ReadonlySet<Digest>,
): ReadonlySet<Digest> {
  const isLeftOut = ({digest, annotations}: Descriptor): boolean =>
    leftOut.has(digest) || leftOut.has(annotations?.['vnd.docker.reference.digest'] as Digest)
  return new Set(children.filter((child) => !isLeftOut(child)).map(({digest}) => digest))
}
