import {request as requestPlain} from 'node:http'
import {request as requestSecure} from 'node:https'
import {isIP, type Socket} from 'node:net'
import type {ConnectionOptions, SecureContext} from 'node:tls'
import {isDirect} from './no-proxy.js'
import {proxyRefused, proxyUnreachable} from './proxy-error.js'
import {whenAborted} from './when-aborted.js'
import {cancelled, limits, MirrorError, type Side, defined} from '../model/index.js'
import type {ProxyOptions} from './options.js'

export interface Proxy {
  readonly origin: string
  /** `host:port`, for messages. */
  readonly name: string
  readonly hostname: string
  readonly port: number
  readonly secure: boolean
  /** Reached by SOCKS5, and not by HTTP. */
  readonly socks: boolean
  /** The user name and the password in its URL. */
  readonly login?: {readonly user: string; readonly password: string}
  /** Value of `Proxy-Authorization`. */
  readonly authorization?: string
}

export interface TunnelOptions {
  readonly side: Side
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** For a proxy that is itself reached by TLS. */
  readonly secureContext?: SecureContext
  readonly rejectUnauthorized: boolean
}

/**
 * Returns the URL of the proxy for an origin, by Go's rules; undefined if it is reached directly.
 * @throws {MirrorError} CONFIG_INVALID for a proxy that is no http, https or socks5 URL
 */
export function proxyFor(
  origin: string,
  {httpProxy, httpsProxy, noProxy = ''}: ProxyOptions,
): string | undefined {
  const {protocol, hostname, port} = new URL(origin)
  const secure = protocol === 'https:'
  const proxy = secure ? httpsProxy : httpProxy
  if (proxy === undefined || proxy === '') return undefined
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  if (isDirect({host, port: port === '' ? (secure ? '443' : '80') : port}, noProxy)) return undefined
  return parseUrl(proxy).href
}

/** @throws {MirrorError} CONFIG_INVALID */
export function parseProxy(text: string): Proxy {
  const url = parseUrl(text)
  const secure = url.protocol === 'https:'
  const socks = isSocks(url)
  const port = url.port === '' ? (socks ? 1080 : secure ? 443 : 80) : Number(url.port)
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const login = userOf(url)
  return {
    origin: socks ? `${url.protocol}//${url.hostname}:${port}` : url.origin,
    name: `${url.hostname}:${port}`,
    hostname,
    port,
    secure,
    socks,
    login,
    authorization: login === undefined ? undefined : basicAuthorization(login),
  }
}

/**
 * Opens a tunnel through a proxy by CONNECT, so that the proxy resolves the name.
 * @param target `host:port`
 * @throws {MirrorError} PROXY_FAILED
 */
export function openTunnel(proxy: Proxy, target: string, options: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (options.signal.aborted) return reject(cancelled(options.signal))
    const fail = (cause: unknown): void => {
      const {side, signal} = options
      reject(signal.aborted ? cancelled(signal) : proxyUnreachable(proxy, {side, cause}))
    }
    const request = (proxy.secure ? requestSecure : requestPlain)({
      method: 'CONNECT',
      path: target,
      host: proxy.hostname,
      port: proxy.port,
      agent: false,
      setHost: false,
      headers: {host: target, ...defined({'proxy-authorization': proxy.authorization})},
      timeout: options.timeout,
      maxHeaderSize: limits.headerBytes,
      ...(proxy.secure ? secureOptions(proxy, options) : undefined),
    })
    const deadline = setTimeout(() => {
      request.destroy(Object.assign(new Error('no answer to CONNECT in time'), {code: 'ETIMEDOUT'}))
    }, options.timeout)
    // Not an option of the request: Node warns of a signal that more than ten requests share.
    const detach = whenAborted(options.signal, () => request.destroy(cancelled(options.signal)))
    request.once('error', fail)
    request.once('close', () => {
      clearTimeout(deadline)
      detach()
    })
    request.once('connect', (response, socket, head) => {
      clearTimeout(deadline)
      detach()
      const status = response.statusCode ?? 0
      if (status === 200 && head.length === 0) {
        socket.setTimeout(0)
        resolve(socket)
        return
      }
      socket.destroy()
      reject(proxyRefused(proxy, target, {side: options.side, status}))
    })
    request.end()
  })
}

function basicAuthorization({user, password}: {readonly user: string; readonly password: string}): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function secureOptions(proxy: Proxy, options: TunnelOptions): ConnectionOptions {
  return {
    secureContext: options.secureContext,
    // Without a name, Node would take the name in the Host header, which is the target's.
    servername: isIP(proxy.hostname) === 0 ? proxy.hostname : '',
    rejectUnauthorized: options.rejectUnauthorized,
  }
}

function parseUrl(text: string): URL {
  const trimmed = text.trim()
  const beforeHost = trimmed
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .split('@')
    .slice(0, -1)
    .join('@')
  // A parser would end the host there, and speak to a part of the password.
  if (/[/?#\\]/.test(beforeHost)) {
    throw invalid(
      'its user name or password holds one of the characters / ? # \\ as it is, which must be percent-encoded',
    )
  }
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`)
  } catch {
    // The cause is left out: it quotes the URL, and that may hold a password.
    throw invalid('it is not a valid URL')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:' && !isSocks(url)) {
    throw invalid(`${url.protocol.slice(0, -1)} proxies are not supported`)
  }
  const login = userOf(url)
  if (isSocks(url) && login !== undefined && [login.user, login.password].some(isLongForSocks))
    throw invalid('SOCKS5 takes user names and passwords of 1 to 255 bytes')
  return url
}

/** As in Go, the proxy resolves names for both of them. */
function isSocks({protocol}: URL): boolean {
  return protocol === 'socks5:' || protocol === 'socks5h:'
}

function isLongForSocks(text: string): boolean {
  const {length} = Buffer.from(text)
  return length === 0 || length > 255
}

function userOf({username, password}: URL): Proxy['login'] {
  if (username === '' && password === '') return undefined
  try {
    return {user: decodeURIComponent(username), password: decodeURIComponent(password)}
  } catch (cause) {
    throw invalid('its user name or password is not percent-encoded', cause)
  }
}

/** Leaves out the URL, because it may hold a password. */
function invalid(why: string, cause?: unknown): MirrorError {
  return new MirrorError('CONFIG_INVALID', `the proxy cannot be used: ${why}`, {
    advice: {kind: 'correct-proxy-url'},
    cause,
  })
}
