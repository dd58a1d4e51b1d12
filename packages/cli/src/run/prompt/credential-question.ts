export interface CredentialQuestion {
  /** `host[:port]`. */
  readonly registry: string
  /** True if the previous answer was refused. */
  readonly refused: boolean
  /** Where a credential was looked for, for the person who wonders. */
  readonly lookedIn: readonly string[]
  /** The usual Docker config files; those that exist are offered. */
  readonly configFiles: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** The user's answer: a typed login, or a Docker config file that the caller loads. */
export type CredentialAnswer =
  | {readonly kind: 'basic'; readonly username: string; readonly password: string}
  | {readonly kind: 'docker-config'; readonly path: string}
