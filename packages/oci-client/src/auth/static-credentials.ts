import type {CredentialProvider} from './credential.js'

/**
 * Returns one user name and password for every request: use it for one registry alone.
 * @param options.origin where they are from, for messages: `--username`
 */
export function staticCredentials(options: {
  readonly username: string
  readonly password: string
  readonly origin?: string
}): CredentialProvider {
  const {username, password, origin} = options
  return async () => ({kind: 'basic', username, password, origin})
}
