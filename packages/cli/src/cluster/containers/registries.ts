/** A `[[registry.mirror]]`, or the own location of a `[[registry]]`. */
export interface Endpoint {
  /** Without trailing slashes. Empty only for the own location of a `*.` prefix: the name stays as it is. */
  readonly location: string
  /** Certificates are not verified, and plain HTTP follows if HTTPS fails. */
  readonly insecure: boolean
  readonly pull: 'all' | 'digest-only' | 'tag-only'
  /** The place where it is written, `FILE:LINE`. */
  readonly at: string
}

/** A `[[registry]]`: everything that applies to names below `prefix`. */
export interface Entry {
  readonly prefix: string
  readonly own: Endpoint
  readonly mirrors: readonly Endpoint[]
  readonly blocked: boolean
  readonly digestOnly: boolean
  readonly at: string
}

export type ShortNameMode = 'permissive' | 'enforcing' | 'disabled'

export interface Alias {
  /** Absent if the file resets the alias. */
  readonly target?: string
  readonly at: string
}

/** The files of registries.conf(5), merged as containers/image merges them. */
export interface Registries {
  readonly entries: readonly Entry[]
  readonly search: readonly string[]
  /** The file that set `search`. */
  readonly searchFile: string | undefined
  readonly shortNameMode: ShortNameMode
  readonly aliases: ReadonlyMap<string, Alias>
  readonly credentialHelpers: readonly string[]
  /** The places that were looked at, as containers/image names them in its errors. */
  readonly description: string
  readonly warnings: readonly string[]
}
