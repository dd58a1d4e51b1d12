import type {Digest} from '@airgap-mirror/oci-client/model'

/** The saved state of one name at a target. */
export interface KnownTag {
  /** The reference it came from. */
  readonly source: string
  /** The digest that the source had under this reference. */
  readonly sourceDigest: Digest
  /** The digest at the target; a choice of platforms makes it differ. Absent until the first run has ended. */
  readonly digest?: Digest
  /** Digests that a run was about to put there. They count as ours, because the run may have been cut off later. */
  readonly intended?: readonly Digest[]
  /** The choices that turn `sourceDigest` into `digest`. With other choices `digest` is recomputed. */
  readonly how: string
  /** The jobs that want it by its name. A tag without such a job may be pruned. */
  readonly owners: readonly string[]
  /** The time when the source was last asked for referrers of the image: milliseconds since 1970. */
  readonly looked?: number
  /** The keys of the tags that it came along with: a cosign signature goes when the last tag of its image goes. */
  readonly with?: readonly string[]
}

/**
 * The saved state of one registry, by `repository:tag` or `repository@digest`. Without it nothing is pruned and drift is
 * not noticed.
 */
export interface KnownTags {
  get(key: string): KnownTag | undefined
  set(key: string, tag: KnownTag): void
  delete(key: string): void
  keys(): readonly string[]
  /**
   * Writes the changes. Never rejects.
   * @returns stale: they could not be written, and the state still on disk would take our own tags for drift
   */
  save(): Promise<'kept' | 'lost' | 'stale'>
}
