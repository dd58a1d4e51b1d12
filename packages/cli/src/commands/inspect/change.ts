import type {Digest} from '@airgap-mirror/oci-client/model'

/** The changes from an older bundle, report or lock file to this bundle. */
export interface Difference {
  /** As it was typed. */
  readonly old: string
  /**
   * False if the older content is only a list of digests: content of its images that others share is not known then, so that the bytes to
   * carry are the most there can be.
   */
  readonly exact: boolean
  readonly totals: Readonly<Record<ChangeStatus, number>>
  readonly bytes: {
    /** Bytes of content that is new. */
    readonly toCarry: number
    /** Bytes of content that the older one had. */
    readonly present: number
  }
  /** In the order of this bundle, then the images that it no longer has. */
  readonly images: readonly ImageChange[]
}

export type ChangeStatus = 'added' | 'removed' | 'changed' | 'same'

export interface ImageChange {
  readonly name: string
  readonly status: ChangeStatus
  /** The digest of the config for an image without a manifest. */
  readonly oldDigest?: Digest
  readonly newDigest?: Digest
  /** Bytes of new content, with its referrers. Content that several images need counts at the first of them. */
  readonly bytesToCarry: number
}
