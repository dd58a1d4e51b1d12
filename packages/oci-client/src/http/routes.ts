import {connect, isIP, type Socket} from 'node:net'
import {refusesLate} from './late-alert.js'
import {networkCode} from './network-code.js'
import {openTunnel, parseProxy, proxyFor, type Proxy, type TunnelOptions} from './proxy.js'
import type {SecureContexts} from './tls.js'
import {shownCertificate} from './shown-certificate.js'
import {openSocks} from './socks.js'
import {HANDSHAKE, UNKNOWN_CA} from './tls-error.js'
import {buildConnector, Pool} from './undici-parts.js'
import {limits} from '../model/index.js'
import type {TransportOptions} from './options.js'

/** The connections to an origin: a pool, and for plain HTTP the proxy that requests are addressed to. */
export interface Route {
  readonly pool: Pool
  readonly forwardedBy: Proxy | undefined
  /** Set after the first answer in HTTP, which proves that the port speaks what the origin says. */
  hasAnswered: boolean
}

export interface RoutesOptions {
  readonly registry: TransportOptions
  readonly contexts: SecureContexts
  /** Milliseconds within which a connection must be established. */
  readonly connectTimeout: number
  /** Aborts connections that are being established. */
  readonly signal: AbortSignal
}

type Connector = ReturnType<typeof buildConnector>

const DEFAULT_CONCURRENCY = 8
/** Idle time between uploads. Servers and load balancers close idle connections after a minute or more. */
const KEEP_ALIVE = 30_000
/** For each address of a name. Node's own 250 ms are too short for satellite links. */
const ADDRESS_ATTEMPT = 2000

/**
 * Returns the connections to one host: one more than blobs in flight, so that small requests do not wait behind them.
 */
export function connectionsTo({concurrency = DEFAULT_CONCURRENCY}: TransportOptions): number {
  return concurrency + 1
}

/** @throws {MirrorError} CONFIG_INVALID */
export function createRoute(origin: string, options: RoutesOptions): Route {
  const {registry} = options
  const proxyUrl = proxyFor(origin, registry.proxy ?? {})
  const proxy = proxyUrl === undefined ? undefined : parseProxy(proxyUrl)
  const forwardedBy = origin.startsWith('http:') && proxy?.socks !== true ? proxy : undefined
  const connector =
    proxy === undefined || forwardedBy !== undefined
      ? directConnector(forwardedBy?.origin ?? origin, options)
      : tunnelConnector(origin, proxy, options)
  const pool = new Pool(forwardedBy?.origin ?? origin, {
    connections: connectionsTo(registry),
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    maxHeaderSize: limits.headerBytes,
    connect: connector,
  })
  return {pool, forwardedBy, hasAnswered: false}
}

function directConnector(origin: string, options: RoutesOptions): Connector {
  const {hostname} = new URL(origin)
  const connector = buildConnector(connectorOptions(origin, options))
  // undici takes the name from the Host header, which names the target even if this is a proxy.
  const servername = serverName(hostname)
  return (to, callback) =>
    connector({...to, servername}, keepingAlerts(tellingMore(callback, {origin, servername, options})))
}

/**
 * Notes of a refused handshake how far it had come, because nothing else shows what the server misses; and the
 * properties of a certificate that is not trusted.
 */
function tellingMore(
  callback: buildConnector.Callback,
  {
    origin,
    servername,
    options,
  }: {readonly origin: string; readonly servername: string; readonly options: RoutesOptions},
): buildConnector.Callback {
  const {protocol, hostname, port} = new URL(origin)
  return (...result) => {
    const [error] = result
    if (error === null || protocol !== 'https:') return callback(...result)
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    const place = {host, port: port === '' ? 443 : Number(port)}
    const tell = async (): Promise<void> => {
      const secureContext = options.contexts.forOrigin(origin)
      callback(Object.assign(error, {isLate: await refusesLate(place, {secureContext, servername})}), null)
    }
    if (HANDSHAKE.test(`${networkCode(error)} ${error.message}`)) void tell()
    else tellingShown(callback, {servername, open: async () => connect(place)})(...result)
  }
}

/** Notes of a certificate that no trusted authority has signed, what it is: the server is asked for it once more. */
function tellingShown(
  callback: buildConnector.Callback,
  {servername, open}: {readonly servername: string; readonly open: () => Promise<Socket>},
): buildConnector.Callback {
  return (...result) => {
    const [error] = result
    if (error === null || !UNKNOWN_CA.has(networkCode(error) ?? '')) return callback(...result)
    const tell = async (): Promise<void> => {
      const shown = await open().then(
        (socket) => shownCertificate(socket, {servername}),
        () => undefined,
      )
      callback(Object.assign(error, {shown}), null)
    }
    void tell()
  }
}

/**
 * Keeps the TLS 1.3 alert of a server that refuses the client's certificate. The alert comes after the handshake, and
 * undici would report only the end of the stream.
 */
function keepingAlerts(callback: buildConnector.Callback): buildConnector.Callback {
  return (...result) => {
    const [, socket] = result
    socket?.once('error', (error) => socket.destroy(error))
    callback(...result)
  }
}

function tunnelConnector(origin: string, proxy: Proxy, options: RoutesOptions): Connector {
  const {hostname, port, protocol} = new URL(origin)
  const isTls = protocol === 'https:'
  const target = `${hostname}:${port === '' ? (isTls ? 443 : 80) : port}`
  const open = proxy.socks ? openSocks : openTunnel
  const connector = buildConnector(connectorOptions(origin, options))
  const tunnel: TunnelOptions = {
    side: options.registry.side,
    timeout: options.connectTimeout,
    signal: options.signal,
    secureContext: proxy.secure ? options.contexts.forOrigin(proxy.origin) : undefined,
    rejectUnauthorized: options.registry.tls?.insecureSkipVerify !== true,
  }
  const connectThrough = async (...[to, callback]: Parameters<Connector>): Promise<void> => {
    try {
      const reach = (): Promise<Socket> => open(proxy, target, tunnel)
      const servername = serverName(hostname)
      const httpSocket = await reach()
      if (!isTls) return keepingAlerts(callback)(null, httpSocket)
      const told = tellingShown(callback, {servername, open: reach})
      connector({...to, servername, httpSocket}, keepingAlerts(told))
    } catch (error) {
      callback(error as Error, null)
    }
  }
  return (to, callback) => void connectThrough(to, callback)
}

function connectorOptions(origin: string, options: RoutesOptions): buildConnector.BuildOptions {
  const {protocol} = new URL(origin)
  return {
    timeout: options.connectTimeout,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT,
    secureContext: protocol === 'https:' ? options.contexts.forOrigin(new URL(origin).origin) : undefined,
    rejectUnauthorized: options.registry.tls?.insecureSkipVerify !== true,
  }
}

/**
 * Returns an empty name for an address, because TLS has no server name for it. The certificate is then checked against
 * the address.
 */
function serverName(hostname: string): string {
  return hostname.startsWith('[') || isIP(hostname) !== 0 ? '' : hostname
}
