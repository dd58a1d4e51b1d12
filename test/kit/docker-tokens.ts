import {randomUUID, sign, X509Certificate} from 'node:crypto'
import {startScripted} from './scripted-server.js'
import type {KeyPair} from './tls.js'

export interface DockerTokensOptions {
  /** Key that signs tokens; its issuer's certificate is the registry's `rootcertbundle`. ECDSA, P-256. */
  readonly keys: KeyPair
  /** Absent: plain HTTP. */
  readonly tls?: KeyPair
  /** Passwords by user name; each may do everything. */
  readonly users: Readonly<Record<string, string>>
}

export interface DockerTokens extends AsyncDisposable {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** The scopes of every token that was given. */
  readonly given: readonly string[]
  /** All tokens that were given. */
  readonly tokens: readonly string[]
}

const SERVICE = 'docker-registry'
const ISSUER = 'tokens of the tests'

/** A token server as distribution's `auth: token` wants one (auth/jwt.md), on 127.0.0.1: JSON web tokens signed with ES256. */
export async function startDockerTokens({keys, tls, users}: DockerTokensOptions): Promise<DockerTokens> {
  const given: string[] = []
  const tokens: string[] = []
  const server = await startScripted(
    ({method, path, headers}) => {
      // A POST, as in OAuth2, is answered with 405: there is only GET.
      if (method !== 'GET') return {status: 405}
      const login = Buffer.from(headers.authorization?.split(' ')[1] ?? '', 'base64').toString()
      const colon = login.indexOf(':')
      const password = users[login.slice(0, colon)]
      if (password === undefined || login.slice(colon + 1) !== password) return {status: 401}
      const {searchParams} = new URL(path, 'http://tokens.invalid')
      const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '))
      const token = signed(claimsOf(scopes), keys)
      given.push(...scopes)
      tokens.push(token)
      return {json: {token, expires_in: 300}}
    },
    tls === undefined ? {} : {tls},
  )
  return {
    realm: `${server.origin}/token`,
    service: SERVICE,
    issuer: ISSUER,
    given,
    tokens,
    [Symbol.asyncDispose]: server.close,
  }
}

function claimsOf(scopes: readonly string[]): object {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    aud: SERVICE,
    sub: 'somebody',
    jti: randomUUID(),
    iat: now,
    nbf: now - 60,
    exp: now + 300,
    access: scopes.flatMap((scope) => {
      const {type, name, actions} = /^(?<type>\w+):(?<name>.+):(?<actions>[^:]+)$/.exec(scope)?.groups ?? {}
      return actions === undefined ? [] : [{type, name, actions: actions.split(',')}]
    }),
  }
}

function signed(claims: object, {cert, key}: KeyPair): string {
  const header = {
    typ: 'JWT',
    alg: 'ES256',
    x5c: [new X509Certificate(cert).raw.toString('base64')],
  }
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(text), {key, dsaEncoding: 'ieee-p1363'})
  return `${text}.${signature.toString('base64url')}`
}
