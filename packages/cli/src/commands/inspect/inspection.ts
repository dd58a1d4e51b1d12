import type {Digest} from '@airgap-mirror/oci-client/model'
import type {Difference} from './change.js'
import type {ReportError, UnusedPart} from '../../report/report.js'

/** The output of `mirror inspect --json`. Fields are only ever added. Sizes in bytes. */
export interface Inspection {
  /** The `$id` of `docs/inspect.schema.json`. */
  readonly $schema: 'urn:mirror:inspect:v1'
  readonly schema: 'mirror.inspect/v1'
  /** As it was typed. */
  readonly source: string
  readonly bundle: InspectedBundle
  readonly totals: InspectionTotals
  /** In the bundle's order; their referrers are inside them. */
  readonly images: readonly InspectedImage[]
  /** Referrers of images that the bundle does not hold. */
  readonly orphans: readonly InspectedReferrer[]
  readonly warnings: readonly InspectionWarning[]
  /** Everything in the bundle that belongs to no image. */
  readonly unused: readonly UnusedPart[]
  /** The changes since an older bundle, report or lock file; absent without `--diff`. */
  readonly diff?: Difference
  /** Why nothing can be done with it; absent if it has images. */
  readonly error?: ReportError
}

export interface InspectedBundle {
  readonly kind: 'file' | 'volumes' | 'stream' | 'directory'
  /** `oci-layout`, `docker-archive`, `imgpkg`, `skopeo-dir`, `nested` for archives in an archive, or `unknown`. */
  readonly format: string
  /** The tool that wrote it, by its traces; absent if several may have. */
  readonly producer?: string
  /** As it is stored; absent for standard input. */
  readonly bytes?: number
  /** Without its compression. */
  readonly plainBytes: number
  readonly compression: {
    readonly codec: 'none' | 'gzip' | 'xz' | 'zstd' | 'bzip2'
    /** Parts that can be decoded on their own; absent if the file does not list them. */
    readonly blocks?: number
    readonly largestBlock?: number
  }
  readonly volumes: readonly {readonly name: string; readonly bytes: number}[]
  /** The places inside it that hold images. */
  readonly parts: readonly {
    readonly path: string
    readonly format: string
    readonly producer?: string
    readonly images: number
  }[]
  readonly entries: {
    readonly count: number
    /** The first of them. */
    readonly first: readonly {readonly path: string; readonly kind: string; readonly bytes: number}[]
  }
  /** The blobs that the registry must have already, for a delta bundle. */
  readonly leftOut: {readonly blobs: number; readonly bytes: number}
}

export interface InspectionTotals {
  readonly images: number
  readonly damaged: number
  readonly signed: number
  /** All of them, sorted. */
  readonly platforms: readonly string[]
  readonly manifests: number
  readonly blobs: number
  /** Manifests and blobs, each counted once. */
  readonly contentBytes: number
  readonly referrers: ReferrerCounts
  /** Bytes that came out of the bundle's decompressor to learn all this. */
  readonly decodedBytes: number
}

export type ReferrerKind = 'signature' | 'attestation' | 'sbom' | 'other'

export type ReferrerCounts = Readonly<Record<ReferrerKind, number>>

export interface InspectedImage {
  /** The full reference, or what the bundle calls an image without a name. */
  readonly name: string
  /** False if it can only be pushed with a name from `--map`. */
  readonly named: boolean
  readonly kind: 'index' | 'image' | 'chart' | 'artifact' | 'unreadable'
  /** `incomplete`: the bundle lacks content of it. `damaged`: it cannot be read. */
  readonly status: 'ok' | 'incomplete' | 'damaged'
  /** Absent if the bundle no longer knows it. */
  readonly digest?: Digest
  /** The digest of the config, of an image without a manifest. */
  readonly id?: Digest
  readonly mediaType?: string
  readonly bytes: ImageBytes
  readonly platforms: readonly InspectedPlatform[]
  readonly referrers: readonly InspectedReferrer[]
  /** Every manifest and blob of it. */
  readonly contents: readonly InspectedContent[]
  /** Why it gets another digest at a registry; absent if it keeps its own. */
  readonly digestChanges?: string
  readonly error?: ReportError
}

export interface ImageBytes {
  /** In this bundle: `own` and `shared`. */
  readonly total: number
  /** Bytes of content that no other image has. */
  readonly own: number
  readonly shared: number
  /** Bytes of layers that the bundle holds uncompressed. Part of `total`. */
  readonly plain: number
  /** Bytes of content that a delta bundle leaves out. */
  readonly leftOut: number
  /** Bytes of content that is missing. */
  readonly missing: number
}

export interface InspectedPlatform {
  readonly platform: string
  readonly digest?: Digest
  /** False: the index lists it, and the bundle does not hold it. */
  readonly present: boolean
  readonly bytes: number
  readonly layers: number
}

export interface InspectedReferrer {
  readonly kind: ReferrerKind
  /** Its artifact type, or the type of its statement. */
  readonly type: string
  readonly digest: Digest
  readonly subject?: Digest
  readonly bytes: number
  /** True if the bundle lacks content of it, which it does not leave out on purpose. */
  readonly incomplete?: boolean
}

export interface InspectedContent {
  readonly role: 'index' | 'manifest' | 'config' | 'layer' | 'blob'
  /** The diff ID for a plain layer without a digest. */
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: number
  readonly state: 'here' | 'left-out' | 'missing' | 'foreign'
  /** Images that have it, with another digest each. */
  readonly images: number
  readonly platform?: string
}

export type WarningCode =
  | 'MUTABLE_TAG'
  | 'UNSIGNED'
  | 'PLATFORM_MISSING'
  | 'CONTENT_MISSING'
  | 'UNREADABLE'
  | 'UNNAMED'
  | 'NAME_TWICE'
  | 'FOREIGN_LAYER'
  | 'DIGEST_CHANGES'
  | 'ORPHAN_REFERRER'
  | 'REFERRER_INCOMPLETE'
  | 'READING'

export interface InspectionWarning {
  readonly code: WarningCode
  /** A sentence without its full stop. */
  readonly message: string
  /** The images it is about; absent if it is about the bundle. */
  readonly images?: readonly string[]
}
