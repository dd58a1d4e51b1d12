import {authorizing, type AuthorizeOptions} from '#src/auth/authorize.js'
import type {CredentialProvider, CredentialRequest} from '#src/auth/credential.js'
import type {HttpRequest, HttpResponse, Send} from '#src/http/send.js'
import {createTransport} from '#src/http/undici.js'
import {startScripted, type Asked, type ScriptedServer} from '../../../test/kit/scripted-server.js'

export type Listening = Pick<ScriptedServer, 'origin' | 'host' | 'close'>

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

function seenOf({method, path, headers, body}: Asked): SeenRequest {
  return {method, path, authorization: headers.authorization, body: body.toString()}
}

export interface TokenServer extends Listening {
  readonly seen: SeenRequest[]
  /** Scopes by the tokens that are valid. */
  readonly tokens: Map<string, readonly string[]>
  readonly rules: TokenRules
}

export interface TokenRules {
  /** Passwords by user name. */
  accounts: Record<string, string>
  identityTokens: Set<string>
  /** Scopes that this server grants; undefined: all. A scope outside is answered with 403. */
  allowed?: (scope: string) => boolean
  anonymous: boolean
  post: boolean
  field: 'token' | 'access_token'
  expiresIn?: unknown
}

export async function startTokenServer(rules: Partial<TokenRules> = {}): Promise<TokenServer> {
  const seen: SeenRequest[] = []
  const tokens = new Map<string, readonly string[]>()
  const all: TokenRules = {
    accounts: {bob: 'pass:word'},
    identityTokens: new Set(),
    anonymous: false,
    post: true,
    field: 'token',
    ...rules,
  }
  const listening = await startScripted((asked) => {
    seen.push(seenOf(asked))
    const isPost = asked.method === 'POST'
    if (isPost && !all.post) return {status: 405}
    const form = new URLSearchParams(asked.body.toString())
    const {searchParams} = new URL(asked.path, 'http://token')
    const scopes = isPost ? (form.get('scope')?.split(' ') ?? []) : searchParams.getAll('scope')
    const known = isPost
      ? all.identityTokens.has(form.get('refresh_token') ?? '')
      : isKnown(asked.headers.authorization, all)
    if (!known) return {status: 401, json: {errors: [{code: 'UNAUTHORIZED', message: 'bad login'}]}}
    if (!scopes.every((scope) => all.allowed?.(scope) ?? true)) return {status: 403, json: {}}
    const token = `token-${tokens.size + 1}`
    tokens.set(token, scopes)
    return {json: {[all.field]: token, expires_in: all.expiresIn}}
  })
  return {...listening, seen, tokens, rules: all}
}

function isKnown(authorization: string | undefined, rules: TokenRules): boolean {
  if (authorization === undefined) return rules.anonymous
  const login = loginOf(authorization)
  return (
    login !== undefined &&
    (rules.accounts[login.username] === login.password || rules.identityTokens.has(login.password))
  )
}

function loginOf(authorization: string | undefined): {username: string; password: string} | undefined {
  if (authorization?.startsWith('Basic ') !== true) return undefined
  const text = Buffer.from(authorization.slice(6), 'base64').toString()
  const colon = text.indexOf(':')
  return {username: text.slice(0, colon), password: text.slice(colon + 1)}
}

export interface RegistryServer extends Listening {
  readonly seen: SeenRequest[]
  readonly rules: RegistryRules
}

export interface RegistryRules {
  auth: {kind: 'none'} | {kind: 'basic'} | {kind: 'bearer'; tokenServer: TokenServer; challenge?: string}
  accounts: Record<string, string>
  /** Paths that stay 401 whoever asks. */
  closed?: RegExp
  /** Scopes a path needs beyond what its challenge says at first. */
  extraScope?: string
}

/** `/v2/NAME/x` needs `repository:NAME:pull`, and push for anything but GET. */
export async function startRegistry(rules: Partial<RegistryRules>): Promise<RegistryServer> {
  const seen: SeenRequest[] = []
  const all: RegistryRules = {auth: {kind: 'none'}, accounts: {bob: 'pass:word'}, ...rules}
  const listening = await startScripted((asked) => {
    seen.push(seenOf(asked))
    const challenge = challengeOf(asked, all)
    if (challenge === undefined) return {body: 'content'}
    return {status: 401, headers: {'www-authenticate': challenge}, body: '{"errors":[]}'}
  })
  return {...listening, seen, rules: all}
}

function challengeOf({method, path, headers}: Asked, rules: RegistryRules): string | undefined {
  const {auth, accounts, closed, extraScope} = rules
  const {authorization} = headers
  const isClosed = closed?.test(path) ?? false
  if (auth.kind === 'none') return undefined
  if (auth.kind === 'basic') {
    const login = loginOf(authorization)
    const known = login !== undefined && accounts[login.username] === login.password
    return known && !isClosed ? undefined : 'Basic realm="a registry, with a comma"'
  }
  const name = /^\/v2\/(.+)\/x/.exec(path)?.[1]
  const needed = name === undefined ? [] : [`repository:${name}:${method === 'GET' ? 'pull' : 'pull,push'}`]
  const scopes = [...needed, ...(extraScope === undefined ? [] : [extraScope])]
  const granted = auth.tokenServer.tokens.get(authorization?.replace('Bearer ', '') ?? '')
  const covered = granted !== undefined && scopes.every((scope) => isGranted(granted, scope))
  if (covered && !isClosed) return undefined
  const error = granted === undefined ? '' : ',error="insufficient_scope"'
  return (
    auth.challenge ??
    `Bearer realm="${auth.tokenServer.origin}/token",service="registry",scope="${scopes.join(' ')}"${error}`
  )
}

function isGranted(granted: readonly string[], scope: string): boolean {
  const end = scope.lastIndexOf(':')
  return scope
    .slice(end + 1)
    .split(',')
    .every((action) =>
      granted.some(
        (text) =>
          text.startsWith(scope.slice(0, end + 1)) &&
          text
            .slice(end + 1)
            .split(',')
            .includes(action),
      ),
    )
}

export interface Client {
  readonly send: Send
  close(): Promise<void>
}

/** The middleware over a real transport, which also carries the token requests. */
export function clientOf(registry: Listening, options: Partial<AuthorizeOptions> = {}): Client {
  const transport = createTransport({registry: registry.host, side: 'target', plainHttp: true})
  const send = authorizing({
    origin: registry.origin,
    registry: registry.host,
    side: 'target',
    tokenSend: transport.send,
    ...options,
  })(transport.send)
  return {send, close: () => transport.close()}
}

export function get(registry: Listening, path: string, extra: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url: {origin: registry.origin, path},
    scopes: scopesFor(path, 'pull'),
    ...extra,
  }
}

export function post(registry: Listening, path: string, extra: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    url: {origin: registry.origin, path},
    scopes: scopesFor(path, 'pull,push'),
    body: {bytes: new Uint8Array()},
    ...extra,
  }
}

function scopesFor(path: string, actions: string): readonly string[] {
  const name = /^\/v2\/(.+)\/x/.exec(path)?.[1]
  return name === undefined ? [] : [`repository:${name}:${actions}`]
}

export async function statusOf(response: Promise<HttpResponse>): Promise<number> {
  const answer = await response
  await answer.discard()
  return answer.status
}

/** Gives the answers in turn, the last for ever, and records what it was asked. */
export function scripted(
  ...answers: readonly Awaited<ReturnType<CredentialProvider>>[]
): CredentialProvider & {readonly asked: CredentialRequest[]} {
  const asked: CredentialRequest[] = []
  const provider: CredentialProvider = async (request) => {
    asked.push(request)
    return answers[Math.min(asked.length, answers.length) - 1]
  }
  return Object.assign(provider, {asked})
}

export const bob = {kind: 'basic', username: 'bob', password: 'pass:word', origin: 'a test'} as const
