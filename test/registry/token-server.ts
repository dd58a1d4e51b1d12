import {randomBytes} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {jsonReply, Refusal, type Reply} from '@airgap-mirror/cli/server'
import {basicUser} from './basic-user.js'
import type {RegistryUser, TokenAuth} from './options.js'
import type {Route} from './route.js'

type Grants = Map<string, Set<string>>

export interface IssuedToken {
  readonly user: string | undefined
  /** Actions by repository: what the token request named, and what of it was given. */
  readonly asked: Grants
  readonly granted: Grants
  readonly expiresAt: number
  usesLeft: number
}

export interface TokenServer {
  /** @throws {Refusal} 401, 400 */
  answer(request: IncomingMessage, route: Route, form: URLSearchParams): Reply
  challenge(
    request: IncomingMessage,
    options: {readonly scope: string | undefined; readonly error: string | undefined},
  ): string
  /** The token, while it is good; counts as one use. */
  use(token: string): IssuedToken | undefined
  revoke(token: string): void
}

const SERVICE = 'test-registry'
const LIFETIME = 300_000

/** The token server of distribution's documentation: GET with Basic, POST with the OAuth2 grants. */
export function createTokenServer(
  auth: TokenAuth,
  options: {readonly scheme: string; readonly otherOrigin: () => string},
): TokenServer {
  const issued = new Map<string, IssuedToken>()
  const refreshTokens = new Map<string, RegistryUser>()
  for (const [name, token] of Object.entries(auth.identityTokens ?? {})) {
    refreshTokens.set(token, auth.users.find((user) => user.name === name) ?? {name, password: ''})
  }
  const lifetime = auth.lifetime ?? LIFETIME

  const issue = (
    user: RegistryUser | undefined,
    asked: Grants,
    flow: {readonly refresh: string | undefined},
  ): Reply => {
    const token = randomBytes(24).toString('base64url')
    const rights = rightsOf(user, auth)
    const granted: Grants = new Map(
      [...asked].map(([repository, actions]) => [
        repository,
        new Set([...actions].filter((action) => rights.has(action))),
      ]),
    )
    issued.set(token, {
      user: user?.name,
      asked,
      granted,
      expiresAt: Date.now() + lifetime,
      usesLeft: auth.usesPerToken ?? Number.POSITIVE_INFINITY,
    })
    const announced = auth.announcedLifetime ?? lifetime / 1000
    return jsonReply({
      token: auth.field === 'access_token' ? undefined : token,
      access_token: auth.field === 'token' ? undefined : token,
      expires_in: announced === false ? undefined : announced,
      issued_at: new Date().toISOString(),
      refresh_token: flow.refresh,
    })
  }

  const makeRefreshToken = (user: RegistryUser): string => {
    const token = randomBytes(24).toString('base64url')
    refreshTokens.set(token, user)
    return token
  }

  const answerGet = (request: IncomingMessage, {params}: Route): Reply => {
    const user = basicUser(request.headers.authorization, auth.users)
    if (
      user === undefined &&
      (request.headers.authorization !== undefined || (auth.anonymous ?? 'none') === 'none')
    ) {
      throw new Refusal(401, 'UNAUTHORIZED', 'authentication required')
    }
    const refresh =
      user !== undefined && params.get('offline_token') === 'true' ? makeRefreshToken(user) : undefined
    return issue(user, parseScopes(params.getAll('scope')), {refresh})
  }

  const answerPost = (form: URLSearchParams): Reply => {
    if (typeof auth.oauth2 === 'number') throw new Refusal(auth.oauth2, 'UNSUPPORTED', 'no such endpoint')
    const grant = form.get('grant_type')
    const given = form.get('refresh_token') ?? ''
    const user =
      grant === 'password'
        ? auth.users.find(
            ({name, password}) => name === form.get('username') && password === form.get('password'),
          )
        : refreshTokens.get(given)
    if (user === undefined) throw new Refusal(401, 'UNAUTHORIZED', 'invalid grant')
    const offline = form.get('access_type') === 'offline'
    return issue(user, parseScopes(form.getAll('scope')), {
      refresh: grant === 'password' ? (offline ? makeRefreshToken(user) : undefined) : given,
    })
  }

  return {
    answer: (request, route, form) =>
      request.method === 'POST' ? answerPost(form) : answerGet(request, route),
    challenge: (request, {scope, error}) => {
      const own = `${options.scheme}://${request.headers.host}`
      const realm = `${auth.realm === 'other-origin' ? options.otherOrigin() : own}/token`
      const parts = {realm, service: SERVICE, scope, error}
      return `Bearer ${Object.entries(parts)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}="${value}"`)
        .join(',')}`
    },
    use: (token) => {
      const found = issued.get(token)
      if (found === undefined || found.expiresAt <= Date.now() || found.usesLeft <= 0) return undefined
      found.usesLeft -= 1
      return found
    },
    revoke: (token) => {
      issued.delete(token)
    },
  }
}

function rightsOf(user: RegistryUser | undefined, auth: TokenAuth): ReadonlySet<string> {
  const right = user === undefined ? (auth.anonymous ?? 'none') : (user.access ?? 'push')
  if (right === 'none') return new Set()
  if (right === 'pull') return new Set(['pull'])
  return new Set(right === 'add' ? ['pull', 'push'] : ['pull', 'push', 'delete'])
}

/** `repository:a/b:pull,push`, several separated by spaces or given as several parameters; names may have colons. */
function parseScopes(values: readonly string[]): Grants {
  const grants: Grants = new Map()
  for (const scope of values.flatMap((value) => value.split(' '))) {
    const match = /^repository:(?<name>.+):(?<actions>[^:]*)$/.exec(scope)
    const name = match?.groups?.['name']
    if (name === undefined) continue
    const actions = grants.get(name) ?? new Set()
    for (const action of (match?.groups?.['actions'] ?? '').split(',')) {
      if (action === '*') ['pull', 'push', 'delete'].forEach((every) => actions.add(every))
      else if (action !== '') actions.add(action)
    }
    grants.set(name, actions)
  }
  return grants
}
