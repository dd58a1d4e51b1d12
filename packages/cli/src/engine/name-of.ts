import {
  formatReference,
  type Digest,
  type Reference,
  type SourceImage,
  defined,
} from '@airgap-mirror/oci-client/model'
import {isMappedByDigest, keyOf, mapName, type NamingRules} from '../names/naming.js'
import type {Label} from './pair.js'

/** The target of an image, and its names in reports. */
export interface Name {
  readonly target: Reference
  readonly label: Label
  /** The beginning of the labels of its referrers. */
  readonly base: Label
  /** True if the user mapped this image by its digest or ID. */
  readonly isMapped?: boolean
}

/**
 * Names an image.
 * @throws {MirrorError} NAME_MISSING, NAME_INVALID
 */
export type NameOf = (image: SourceImage, digest: Digest | undefined) => Name

/** Names as rules make them of source names. */
export function byRules(rules: NamingRules): NameOf {
  return (image, digest) => {
    const known = {...image, ...defined({digest})}
    const target = mapName(known, rules)
    const source = sourceLabel(image, digest)
    return {
      target,
      isMapped: isMappedByDigest(known, rules),
      label: {source, target: formatReference(target)},
      base: {
        source: source.replace(/(?<=\/[^/]*)[:@].*$/, ''),
        target: formatReference({registry: target.registry, repository: target.repository}),
      },
    }
  }
}

/** The source reference, or what the bundle calls an unnamed image. */
export function sourceLabel({name, shownAs, id}: SourceImage, digest: Digest | undefined): string {
  if (name !== undefined) return formatReference(name)
  const text = shownAs ?? digest ?? 'unnamed image'
  return id === undefined ? text : `${keyOf({id})} (${text})`
}
