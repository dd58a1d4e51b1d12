export type Credential =
  | {readonly kind: 'basic'; readonly username: string; readonly password: string}
  /** An OAuth2 refresh token from docker's `identitytoken` or a helper whose user name is `<token>`. */
  | {readonly kind: 'identity-token'; readonly token: string; readonly username?: string}
  /** A ready bearer token, docker's `registrytoken`. */
  | {readonly kind: 'bearer'; readonly token: string}

export interface CredentialRequest {
  /** `host[:port]` of the registry. */
  readonly registry: string
  /** The repository, where there is one: podman's auth.json may hold keys for parts of its path. */
  readonly repository?: string
  /** True when what was given before was refused. */
  readonly refused: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Asked once a registry challenges, and again if that credential is refused; undefined means anonymous. May prompt.
 * @throws {MirrorError} CREDENTIALS_INVALID, AUTH_REQUIRED
 */
export type CredentialProvider = (request: CredentialRequest) => Promise<Credential | undefined>
