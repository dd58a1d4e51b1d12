/** One, or a list of them. */
export type Several<Item> = Item | readonly Item[]

export type RawPatterns =
  Several<string> | {readonly glob?: Several<string>; readonly regex?: Several<string>}

export interface RawRegistry {
  readonly username?: string
  readonly password?: string
  readonly 'password-file'?: string
  readonly 'docker-config'?: string
  readonly 'credential-helper'?: string
  readonly 'service-account-key'?: string
  readonly 'need-credential'?: boolean
  readonly cacert?: string
  readonly 'client-cert'?: string
  readonly 'client-key'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'plain-http'?: boolean
  readonly proxy?: string
  readonly 'no-proxy'?: string
  readonly 'limit-rate'?: string | number
  readonly concurrency?: number
  readonly 'chunk-size'?: string | number
  readonly retries?: number
  readonly 'retry-max-wait'?: string | number
}

export interface RawNaming {
  readonly namespace?: string
  readonly 'map-host'?: 'drop' | 'keep'
  readonly rewrite?: Several<string>
  readonly map?: string | Readonly<Record<string, string>>
  readonly 'max-depth'?: number
}

export type RawTarget = string | (RawNaming & {readonly registry: string})

export interface RawTagFilter {
  readonly exact?: Several<string>
  readonly glob?: Several<string>
  readonly regex?: Several<string>
  readonly semver?: string
  readonly prereleases?: boolean
  readonly newest?: number
  readonly exclude?: RawPatterns
}

export type RawRepository =
  | string
  | {
      readonly repository: string
      readonly tags?: Several<string | RawTagFilter>
      readonly digests?: Several<string>
      readonly target?: string
    }

export interface RawOptions extends RawNaming {
  readonly targets?: Several<RawTarget>
  readonly include?: Several<string>
  readonly exclude?: Several<string>
  readonly platforms?: Several<string>
  readonly 'sparse-index'?: 'auto' | 'strict' | 'prune' | 'platform' | 'as-is'
  readonly referrers?: boolean
  readonly immutable?: boolean | RawPatterns
  readonly prune?: boolean
  readonly 'prune-max'?: number
}

export interface RawJob extends RawOptions {
  readonly name: string
  readonly images?: Several<string>
  readonly references?: Several<string>
  readonly repositories?: readonly RawRepository[]
}

/** A file that passed the check of `schema.ts`, with variables filled in. */
export interface RawJobFile {
  readonly version?: 1
  readonly registries?: Readonly<Record<string, RawRegistry>>
  readonly defaults?: RawOptions
  readonly jobs: readonly RawJob[]
}
