import type {Digest, Platform} from '@airgap-mirror/oci-client/model'
import type {ListedImage} from '../names/image-list.js'
import type {RewriteRule} from '../names/rewrite.js'
import type {SparsePolicy} from '../engine/sparse.js'
import type {TagFilter} from './choose-tags.js'
import type {TagPatterns} from './tag-patterns.js'

/**
 * Settings by which a registry is reached. At most one kind of credential is given. Names of files are absolute. For an
 * absent setting, flags, the environment and defaults decide.
 */
export interface RegistrySettings {
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
  readonly dockerConfig?: string
  /** NAME of `docker-credential-NAME`. */
  readonly credentialHelper?: string
  /** A Google service account key: the password of the user `_json_key`. */
  readonly serviceAccountKey?: string
  /** An OAuth2 refresh token, as `registries.yaml` may have one. */
  readonly identityToken?: string
  readonly needCredential?: boolean
  readonly cacert?: string
  readonly clientCert?: string
  readonly clientKey?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly plainHttp?: boolean
  readonly proxy?: string
  readonly noProxy?: string
  /** Bytes per second. */
  readonly limitRate?: number
  readonly concurrency?: number
  readonly chunkSize?: 'auto' | number
  readonly retries?: number
  /** Milliseconds. */
  readonly retryMaxWait?: number
}

export interface JobNaming {
  readonly mapHost?: 'drop' | 'keep'
  readonly rewrites?: readonly RewriteRule[]
  /** A file of lines SOURCE TARGET, absolute. */
  readonly mapFile?: string
  /** Source reference, as `referenceKey` writes it, to target. */
  readonly map?: ReadonlyMap<string, string>
  readonly maxDepth?: number
}

export interface JobTarget {
  /** As it was written, for reports: `HOST[:PORT][/NAMESPACE]`. */
  readonly text: string
  /** `host[:port]`. */
  readonly registry: string
  /** The target's own, and the job's beneath it; empty for none. */
  readonly namespace: string
  readonly naming: JobNaming
}

export interface JobRepository {
  readonly registry: string
  readonly repository: string
  /** Tags that any of these filters chooses. Absent: all tags, or none if there are digests. */
  readonly tags?: readonly TagFilter[]
  readonly digests: readonly Digest[]
  /** The path at the target for all of them. */
  readonly target?: string
}

/** An image that a job wants, with the target that its list or its repository gives it, as in a list's second column. */
export type WantedImage = Pick<ListedImage, 'source' | 'target'>

/** A job of a job file, read and checked. For an absent setting, flags, the environment and defaults decide. */
export interface Job {
  readonly name: string
  /** Files of references, absolute; `-` is standard input. */
  readonly images: readonly string[]
  readonly references: readonly WantedImage[]
  readonly repositories: readonly JobRepository[]
  /** Empty if the job leaves the target to `--private-registry`. */
  readonly targets: readonly JobTarget[]
  /** For a target that a flag names. */
  readonly naming: JobNaming & {readonly namespace?: string}
  /** Globs on the source reference. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly platforms?: readonly Platform[]
  readonly sparse?: SparsePolicy
  readonly referrers?: boolean
  /** Tags that never change at the source. */
  readonly immutable?: TagPatterns
  readonly prune?: boolean
  readonly pruneMax?: number
}

export interface JobFile {
  /** By host as image names have it, Docker Hub as `docker.io`. */
  readonly registries: ReadonlyMap<string, RegistrySettings>
  readonly jobs: readonly Job[]
}
