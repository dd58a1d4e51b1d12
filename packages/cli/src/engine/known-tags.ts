import type {Digest} from '@airgap-mirror/oci-client/model'

/** What an earlier run has put under one name at a target. */
export interface KnownTag {
  /** The reference it came from. */
  readonly source: string
  /** What the source had under it. */
  readonly sourceDigest: Digest
  /** What was put at the target, which a choice of platforms makes another; absent until the first run has ended. */
  readonly digest?: Digest
  /** What a run was about to put there. It counts as ours, too: the run may have been cut off after it. */
  readonly intended?: readonly Digest[]
  /** The choices that make `digest` of `sourceDigest`: with others the image has to be made anew. */
  readonly how: string
  /** The jobs that want it by its name; removed are tags that no job wants any more. */
  readonly owners: readonly string[]
  /** When the source was last asked what refers to the image: milliseconds since 1970. */
  readonly looked?: number
  /** The keys of the tags that it came along with: a cosign signature goes when the last tag of its image goes. */
  readonly with?: readonly string[]
}

/**
 * What earlier runs have put at one registry, by `repository:tag` or `repository@digest`. A cache: without it nothing is
 * removed, and what others have changed there is not noticed.
 */
export interface KnownTags {
  get(key: string): KnownTag | undefined
  set(key: string, tag: KnownTag): void
  delete(key: string): void
  keys(): readonly string[]
  /**
   * Writes what was changed. Never rejects.
   * @returns stale: it could not be written, and what is there still would take our own tags for somebody else's
   */
  save(): Promise<'kept' | 'lost' | 'stale'>
}
