import type {Mapping} from './mapping.js'

export const FALLBACKS = ['keep', 'cut'] as const
export type Fallback = (typeof FALLBACKS)[number]

export const ADMISSIONS = ['sources', 'any'] as const
export type Admission = (typeof ADMISSIONS)[number]

/** A version as `--for TARGET@MAJOR.MINOR` gives it. */
export interface TargetVersion {
  readonly major: number
  readonly minor: number
}

export interface Login {
  readonly username: string
  readonly password: string
}

/** Settings by which nodes reach the private registry. PEM texts and paths of the machine that this program runs on. */
export interface RegistryAccess {
  /** `host[:port]`. */
  readonly registry: string
  readonly plainHttp: boolean
  readonly skipVerify: boolean
  readonly ca?: string
  readonly caPath?: string
  readonly clientCert?: string
  readonly clientKey?: string
  /** Present only if credentials are to be written into files. */
  readonly login?: Login
  /** A Docker config.json with the login, to be named in files. */
  readonly loginPath?: string
  readonly proxy?: string
  readonly noProxy?: string
}

export interface EmitRequest {
  readonly mapping: Mapping
  readonly access: RegistryAccess
  readonly fallback: Fallback
  readonly version?: TargetVersion
  /** `sources`: a policy that admits only the source names of the images. Absent: the target's default. */
  readonly admit?: Admission
  /** Names that nodes must not pull. */
  readonly blocked: readonly string[]
  /** Registries in which short names are looked up. */
  readonly searched: readonly string[]
  /** PEM of the key that the images are signed with. */
  readonly signatureKey?: string
  /** Write containerd's old `registry.mirrors` form. */
  readonly isDeprecated: boolean
  /** Absolute path of the directory that the files go to, if there is one. */
  readonly directory?: string
}

export interface EmittedFile {
  /** Relative, with `/`: below the root of a node unless the target says otherwise. */
  readonly path: string
  readonly text: string
  /** Holds a password or a private key. */
  readonly isSecret?: boolean
}

export interface Emission {
  readonly files: readonly EmittedFile[]
  /** The steps left to do by hand, in sentences. */
  readonly notes: readonly string[]
}

/** Begins the first line of every emitted file that can hold comments; such files may be replaced. */
export const EMITTED_MARK = '# Written by mirror config emit'

/** The first line of an emitted file. */
export function heading(what: string): string {
  return `${EMITTED_MARK}: ${what}\n`
}

export function isOlder({version}: EmitRequest, major: number, minor: number): boolean {
  return (
    version !== undefined && (version.major < major || (version.major === major && version.minor < minor))
  )
}
