import type {IncomingMessage} from 'node:http'
import {Refusal} from '@airgap-mirror/cli/server'
import {basicUser} from './basic-user.js'
import type {Access} from './exchange.js'
import type {RegistryUser} from './options.js'
import type {RequestKind, Route} from './route.js'
import type {RegistryState} from './state.js'
import type {IssuedToken, TokenServer} from './token-server.js'

/** Access control: open to all, Basic, or Bearer with a token server. */
export interface Gatekeeper {
  /** @throws {Refusal} 401 with a challenge, 403 DENIED */
  admit(request: IncomingMessage, route: Route): Access
  /** The 401 of a request whose credentials are no longer good; a token that came with it is void from now on. */
  challenge(request: IncomingMessage, route: Route): Refusal
}

export function openGate(): Gatekeeper {
  return {
    admit: () => ({user: undefined, can: () => true}),
    challenge: () => unauthorized('Basic realm="registry"'),
  }
}

export function basicGate(users: readonly RegistryUser[]): Gatekeeper {
  return {
    admit: (request, route) => {
      const user = basicUser(request.headers.authorization, users)
      if (user === undefined) throw unauthorized('Basic realm="registry"')
      const {access: right = 'push'} = user
      const can: Access['can'] = (action) =>
        action === 'pull' || right === 'push' || (action === 'push' && right === 'add')
      const access: Access = {user: user.name, can}
      if (!isAllowed(access, route))
        throw new Refusal(403, 'DENIED', 'requested access to the resource is denied')
      return access
    },
    challenge: () => unauthorized('Basic realm="registry"'),
  }
}

export function tokenGate(tokens: TokenServer, options: {readonly refusal: 401 | 403}): Gatekeeper {
  const refuse = (request: IncomingMessage, route: Route, error?: string): Refusal =>
    unauthorized(tokens.challenge(request, {scope: scopeOf(route), error}))
  return {
    admit: (request, route) => {
      const [scheme, value] = (request.headers.authorization ?? '').split(' ')
      if (scheme?.toLowerCase() !== 'bearer' || value === undefined) throw refuse(request, route)
      const token = tokens.use(value)
      if (token === undefined) throw refuse(request, route, 'invalid_token')
      const access = accessOf(token)
      if (isAllowed(access, route)) return access
      if (options.refusal === 403 && wasAsked(token, route)) {
        throw new Refusal(403, 'DENIED', 'requested access to the resource is denied')
      }
      throw refuse(request, route, 'insufficient_scope')
    },
    challenge: (request, route) => {
      tokens.revoke((request.headers.authorization ?? '').split(' ')[1] ?? '')
      return refuse(request, route, 'invalid_token')
    },
  }
}

const READS: ReadonlySet<RequestKind> = new Set([
  'blob-head',
  'blob-get',
  'manifest-head',
  'manifest-get',
  'tags',
  'referrers',
])

const DELETES: ReadonlySet<RequestKind> = new Set(['blob-delete', 'manifest-delete'])

/** The scope a request needs, as distribution asks for it; none for `/v2/`. */
function scopeOf({kind, repository, params}: Route): string | undefined {
  if (repository === '') return undefined
  if (READS.has(kind)) return `repository:${repository}:pull`
  if (DELETES.has(kind)) return `repository:${repository}:delete`
  const own = `repository:${repository}:pull,push`
  const from = kind === 'mount' ? params.get('from') : null
  return from === null ? own : `${own} repository:${from}:pull`
}

function isAllowed(access: Access, {kind, repository}: Route): boolean {
  if (repository === '') return true
  if (DELETES.has(kind)) return access.can('delete', repository)
  return access.can('pull', repository) && (READS.has(kind) || access.can('push', repository))
}

function accessOf({user, granted}: IssuedToken): Access {
  return {
    user,
    can: (action, repository) => granted.get(repository)?.has(action) ?? false,
  }
}

/** Returns true if the token's request named the access that the token lacks: asking again will not help. */
function wasAsked({asked}: IssuedToken, {kind, repository}: Route): boolean {
  return asked.get(repository)?.has(DELETES.has(kind) ? 'delete' : 'push') ?? false
}

function unauthorized(challenge: string): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'authentication required', {
    headers: {'www-authenticate': challenge},
  })
}

/** Second origin: a signed query or a live upload session lets a request in, as a signed URL does at an object store. */
export function admitSigned(request: IncomingMessage, route: Route, state: RegistryState): Access {
  if (request.headers.authorization !== undefined) {
    throw new Refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed')
  }
  const upload = state.uploads.get(route.reference)?.repository === route.repository
  if (!upload && !state.signatures.has(route.params.get('_sig') ?? '')) {
    throw new Refusal(403, 'AccessDenied', 'Request has no valid signature')
  }
  return {user: undefined, can: () => true}
}
