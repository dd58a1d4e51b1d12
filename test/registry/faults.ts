import {dropSession, type Reply, withHeaders} from '@airgap-mirror/cli/server'
import {silence, type Exchange} from './exchange.js'
import type {Fault, FaultMatch, FaultRule} from './fault-rule.js'
import type {Route} from './route.js'
import type {RegistryState} from './state.js'

/** Chooses the fault of each request; counts what the rules match. */
export interface FaultPlan {
  pick(method: string, route: Route): Fault | undefined
  /** Replaces all rules; their counts start again. */
  replace(rules: readonly FaultRule[]): void
}

export function createFaultPlan(initial: readonly FaultRule[]): FaultPlan {
  let rules: {readonly rule: FaultRule; seen: number}[] = []
  const replace = (given: readonly FaultRule[]): void => {
    rules = given.map((rule) => ({rule, seen: 0}))
  }
  replace(initial)
  return {
    replace,
    pick: (method, route) => {
      let picked: Fault | undefined
      for (const entry of rules) {
        const {match = {}, nth = 1, times = 1, fault} = entry.rule
        if (!matches(match, method, route)) continue
        entry.seen += 1
        if (entry.seen >= nth && entry.seen < nth + times) picked ??= fault
      }
      return picked
    },
  }
}

function matches({method, path, kind}: FaultMatch, actual: string, route: Route): boolean {
  if (method !== undefined && method !== actual) return false
  if (path !== undefined && !path.test(route.query === '' ? route.path : `${route.path}?${route.query}`))
    return false
  if (kind === undefined) return true
  const kinds = typeof kind === 'string' ? [kind] : kind
  return kinds.some((wanted) => wanted === route.kind || (wanted === 'head' && actual === 'HEAD'))
}

/** Returns a fault's answer in place of the registry's, after its delay; undefined if the registry goes on. */
export async function answerInstead(
  exchange: Exchange,
  options: {
    readonly state: RegistryState
    readonly drain: () => Promise<void>
    readonly challenge: () => Reply
  },
): Promise<Reply | 'reset' | undefined> {
  const {fault, route, closed} = exchange
  if (fault === undefined) return undefined
  if (fault.type === 'reset-before') return 'reset'
  if (fault.type === 'early-201') return {status: 201, headers: earlyHeaders(route)}
  if (fault.type === 'stall' && (fault.at ?? 'start') === 'start') {
    await silence(fault.ms, closed)
    // Reset, because a client that gave up waiting must find nothing done.
    if (fault.ms === undefined) return 'reset'
  }
  if (fault.type === 'session-gone') {
    const session = options.state.uploads.get(route.reference)
    if (session !== undefined) await dropSession(session, options.state.uploads)
  }
  if (fault.type !== 'status' && fault.type !== 'unauthorized') return undefined
  if (fault.early !== true) await options.drain()
  if (fault.type === 'unauthorized') return options.challenge()
  return {status: fault.status, headers: lowerCase(fault.headers ?? {}), body: Buffer.from(fault.body ?? '')}
}

/** Returns the registry's own answer as changed by the fault. */
export function amendReply(reply: Reply, {fault, request}: Exchange, state: RegistryState): Reply {
  if (fault?.type === 'wrong-range') return withHeaders(reply, {range: fault.range ?? '0-0'})
  if (fault?.type === 'no-range') return withHeaders(reply, {range: undefined})
  if (fault?.type === 'headers') return withHeaders(reply, fault.headers)
  const location = reply.headers?.['location']
  if (fault?.type !== 'location' || typeof location !== 'string') return reply
  if (fault.form === 'exactly') return withHeaders(reply, {location: fault.value})
  const path = location.replace(/^https?:\/\/[^/]+/, '')
  const scheme = state.options.tls === undefined ? 'http' : 'https'
  const forms = {
    relative: path,
    absolute: `${scheme}://${request.headers.host}${path}`,
    http: `http://${request.headers.host}${path}`,
    'cross-origin': `${state.otherOrigin}${path}`,
    missing: undefined,
  }
  return withHeaders(reply, {location: forms[fault.form]})
}

/** The client of an early 201 is told what it would be told at the end. */
function earlyHeaders({kind, path, query, params, repository}: Route): Record<string, string> {
  const digest = params.get('digest') ?? params.get('mount')
  if (kind === 'send') return {location: `${path}?${query}`}
  if (digest === null) return {location: path}
  return {location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest}
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
