import {MirrorError, type Advice, type Side} from '../model/index.js'
import {networkCode, networkReason} from './network-code.js'
import {tlsError} from './tls-error.js'

/** A proxy, as far as messages tell of it. */
interface ProxyPeer {
  /** `host:port`. */
  readonly name: string
  readonly secure: boolean
  readonly authorization?: string
}

/** Returns the error for a proxy that answered, but did not connect. */
export function proxyRefused(
  proxy: ProxyPeer,
  target: string,
  {side, status}: {readonly side: Side; readonly status: number},
): MirrorError {
  const {name, authorization} = proxy
  const isLogin = isAboutLogin(status) && authorization !== undefined
  return new MirrorError(
    'PROXY_FAILED',
    isLogin
      ? `the proxy ${name} refuses the user name and the password that were given for it: status ${status}`
      : `the proxy ${name} does not connect to ${target}: status ${status}`,
    {
      side,
      advice: adviceFor(status, {target, isLogin}),
      cause: Object.assign(new Error(`CONNECT was answered with ${status}`), {
        code: `PROXY_STATUS_${status}`,
      }),
    },
  )
}

/** Returns the error for a proxy that could not be reached. */
export function proxyUnreachable(
  {name, secure}: ProxyPeer,
  {side, cause}: {readonly side: Side; readonly cause: unknown},
): MirrorError {
  const code = networkCode(cause)
  const tls = secure && code !== undefined ? tlsError(cause, {code, place: name, side}) : undefined
  return new MirrorError(
    'PROXY_FAILED',
    `the proxy ${name} cannot be used: ${tls?.message ?? networkReason(cause)}`,
    {
      side,
      advice: tls?.advice ?? {kind: code === undefined ? 'check-proxy-scheme' : 'check-proxy'},
      cause,
    },
  )
}

/** Returns true if no connection was established, because of its name, its port, or TLS. */
export function failedToConnect(error: unknown): boolean {
  const code = networkCode(error)
  if (code === undefined) return false
  return UNCONNECTED.has(code) || tlsError(error, {code, place: '', side: 'target'}) !== undefined
}

const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** tinyproxy answers a wrong password with 401. */
function isAboutLogin(status: number): boolean {
  return status === 407 || status === 401
}

function adviceFor(
  status: number,
  {target, isLogin}: {readonly target: string; readonly isLogin: boolean},
): Advice {
  if (isAboutLogin(status)) return {kind: isLogin ? 'check-proxy-login' : 'add-proxy-login'}
  if (status === 502 || status === 503 || status === 504) return {kind: 'check-behind-proxy', target}
  return {kind: 'allow-at-proxy', target}
}
