/** A login that files of a node hold. */
export type NodeLogin =
  | {readonly kind: 'basic'; readonly username: string; readonly password: string}
  | {readonly kind: 'identity-token'; readonly token: string}

export interface FoundLogin {
  /** `invalid`: an entry with nothing in it that is used. */
  readonly kind: 'basic' | 'identity-token' | 'invalid'
  /** Gives the secret: a function, so that no output of the entry shows it. */
  readonly login?: () => NodeLogin
}

/** The login of an entry, in the order in which containerd takes its parts: a user name, a token, an encoded pair. */
export function readLogin(entry: {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
  readonly auth?: string
}): FoundLogin {
  const {username = '', password = '', identityToken = '', auth = ''} = entry
  if (username !== '') return {kind: 'basic', login: () => ({kind: 'basic', username, password})}
  if (identityToken !== '')
    return {kind: 'identity-token', login: () => ({kind: 'identity-token', token: identityToken})}
  return auth === '' ? {kind: 'invalid'} : {kind: 'basic', login: () => decodedLogin(auth)}
}

/** The user name and password of a base64 pair. */
export function decodedLogin(auth: string): NodeLogin {
  const [, username = '', password = ''] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? []
  return {kind: 'basic', username, password: password.replace(/\0+$/, '')}
}
