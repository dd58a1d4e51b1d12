/** The origin of a credential, and its reach. All of it is optional, none of it secret. */
interface CredentialOrigin {
  /** For messages: the file and its key, the helper, or the option. */
  readonly origin?: string
  /**
   * True if another repository of the same registry may need another credential, so the provider has to be asked again.
   */
  readonly repositoryOnly?: boolean
}

export interface BasicCredential extends CredentialOrigin {
  readonly kind: 'basic'
  readonly username: string
  readonly password: string
}

/** An OAuth2 refresh token from docker's `identitytoken` or a helper whose user name is `<token>`. */
interface IdentityTokenCredential extends CredentialOrigin {
  readonly kind: 'identity-token'
  readonly token: string
  readonly username?: string
}

/** A ready bearer token, docker's `registrytoken`. */
interface BearerCredential extends CredentialOrigin {
  readonly kind: 'bearer'
  readonly token: string
}

/** A login for a registry. It is sent to the registry's origin and to its token server, and nowhere else. */
export type Credential = BasicCredential | IdentityTokenCredential | BearerCredential

/** The question that a `CredentialProvider` answers. */
export interface CredentialRequest {
  /** `host[:port]` of the registry. */
  readonly registry: string
  /** The repository, if there is one: podman's auth.json may hold keys for parts of its path. */
  readonly repository?: string
  /**
   * True if the registry refused the previous answer, or refused anonymous access (undefined).
   * The first call is for sources that disturb nobody. A prompt, or an error that lists the searched places, belongs to
   * a call with `refused`.
   */
  readonly refused: boolean
  readonly signal?: AbortSignal
}

/**
 * Called when a registry challenges, and again if that credential is refused. Undefined means anonymous. May prompt.
 * Calls for one registry never overlap.
 * An answer holds for the whole registry unless it says `repositoryOnly`; undefined holds for the repository in the
 * request.
 * @throws {MirrorError} CREDENTIALS_INVALID, AUTH_REQUIRED
 */
export type CredentialProvider = (request: CredentialRequest) => Promise<Credential | undefined>

/** Returns true if a registry would see the same secret. The origin does not count. */
export function sameCredential(left: Credential | undefined, right: Credential | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  if (left.kind === 'basic') {
    return right.kind === 'basic' && left.username === right.username && left.password === right.password
  }
  return left.kind === right.kind && left.token === right.token
}

/** Returns every form in which the credential's secret could show up in a text. */
export function secretsOf(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return []
  if (credential.kind !== 'basic') return [credential.token]
  const {username, password} = credential
  return [password, encodeURIComponent(password), Buffer.from(`${username}:${password}`).toString('base64')]
}

/** Returns the user name and the origin for a message; never the secret. */
export function describeCredential(credential: Credential): string {
  const from = credential.origin === undefined ? '' : ` from ${credential.origin}`
  if (credential.kind === 'basic') return `the user name ${JSON.stringify(credential.username)}${from}`
  return credential.kind === 'bearer' ? `the bearer token${from}` : `the identity token${from}`
}
