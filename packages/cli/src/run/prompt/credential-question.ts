export interface CredentialQuestion {
  /** `host[:port]`. */
  readonly registry: string
  /** True if the previous answer was refused. */
  readonly refused: boolean
  /** The searched places, because the user may expect a credential there. */
  readonly lookedIn: readonly string[]
  /** The usual Docker config files; those that exist are offered. */
  readonly configFiles: readonly string[]
  /** Known already: only the password is asked for. */
  readonly username?: string
  /** True if a user name and a password have to be typed: no file is offered. */
  readonly isTyped?: boolean
  /** The reason why the file that was chosen before is of no use. */
  readonly problem?: string
  readonly signal?: AbortSignal
}

/** The user's answer: a typed login, or a Docker config file that the caller loads. */
export type CredentialAnswer =
  | {readonly kind: 'basic'; readonly username: string; readonly password: string}
  | {readonly kind: 'docker-config'; readonly path: string}
