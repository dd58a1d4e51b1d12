import {connect, isIP, type Socket} from 'node:net'
import {proxyRefused, proxyUnreachable} from './proxy-error.js'
import type {Proxy, TunnelOptions} from './proxy.js'
import {whenAborted} from './when-aborted.js'
import {cancelled, MirrorError} from '../model/index.js'

const VERSION = 5
const NO_LOGIN = 0
const PASSWORD = 2
const CONNECT = 1
const ADDRESS_V4 = 1
const NAME = 3
const ADDRESS_V6 = 4
const NOT_ALLOWED = 2
/** RFC 1928, section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
  7: 'command not supported',
  8: 'address type not supported',
}

/**
 * Opens a connection through a SOCKS5 proxy (RFC 1928, login by RFC 1929). The proxy resolves the name.
 * @param target `host:port`
 * @throws {MirrorError} PROXY_FAILED
 */
export async function openSocks(proxy: Proxy, target: string, options: TunnelOptions): Promise<Socket> {
  const {signal, timeout, side} = options
  if (signal.aborted) throw cancelled(signal)
  const socket = connect({host: proxy.hostname, port: proxy.port})
  const deadline = setTimeout(() => {
    socket.destroy(Object.assign(new Error('no answer in time'), {code: 'ETIMEDOUT'}))
  }, timeout)
  const detach = whenAborted(signal, () => socket.destroy())
  try {
    await logIn(socket, {proxy, target, side})
    await request(socket, {proxy, target, side})
    return socket
  } catch (error) {
    socket.destroy()
    if (signal.aborted) throw cancelled(signal)
    throw error instanceof MirrorError ? error : proxyUnreachable(proxy, {side, cause: error})
  } finally {
    clearTimeout(deadline)
    detach()
  }
}

interface Asked {
  readonly proxy: Proxy
  readonly target: string
  readonly side: TunnelOptions['side']
}

async function logIn(socket: Socket, asked: Asked): Promise<void> {
  const {login} = asked.proxy
  socket.write(
    Uint8Array.from(login === undefined ? [VERSION, 1, NO_LOGIN] : [VERSION, 2, NO_LOGIN, PASSWORD]),
  )
  const [version, method] = await take(socket, 2)
  if (version !== VERSION) throw new Error('it does not speak SOCKS5')
  if (method === NO_LOGIN) return
  if (method !== PASSWORD || login === undefined)
    throw proxyRefused(asked.proxy, asked.target, {...asked, status: 407})
  const parts = [login.user, login.password].map((text) => Buffer.from(text))
  socket.write(Buffer.concat([Buffer.of(1), ...parts.flatMap((part) => [Buffer.of(part.length), part])]))
  const [, status] = await take(socket, 2)
  if (status !== 0) throw proxyRefused(asked.proxy, asked.target, {...asked, status: 407})
}

async function request(socket: Socket, {proxy, target, side}: Asked): Promise<void> {
  const {hostname, port} = new URL(`http://${target}`)
  const number = Number(port === '' ? 80 : port)
  const head = Buffer.of(VERSION, CONNECT, 0)
  socket.write(Buffer.concat([head, addressOf(hostname), Buffer.of(number >> 8, number & 255)]))
  const [version, reply = 1, , type] = await take(socket, 4)
  if (version !== VERSION) throw new Error('it does not speak SOCKS5')
  if (reply !== 0) {
    const isRule = reply === NOT_ALLOWED
    const said = REPLIES[reply] ?? `reply ${reply}`
    throw new MirrorError('PROXY_FAILED', `the proxy ${proxy.name} does not connect to ${target}: ${said}`, {
      side,
      advice: {kind: isRule ? 'allow-at-proxy' : 'check-behind-proxy', target},
      // As a proxy of HTTP would say it: the registry behind it may be starting.
      cause: Object.assign(new Error(said), {code: `PROXY_STATUS_${isRule ? 403 : 502}`}),
    })
  }
  // The address at which the proxy is bound is of no use, but its bytes are not the registry's.
  const length = type === NAME ? ((await take(socket, 1))[0] ?? 0) : type === ADDRESS_V6 ? 16 : 4
  await take(socket, length + 2)
}

function addressOf(hostname: string): Buffer {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  if (isIP(host) === 4) return Buffer.of(ADDRESS_V4, ...host.split('.').map(Number))
  if (isIP(host) === 6) return Buffer.concat([Buffer.of(ADDRESS_V6), bytesOfV6(host)])
  const name = Buffer.from(host)
  if (name.length > 255) throw new Error('the name of the registry is too long for SOCKS5')
  return Buffer.concat([Buffer.of(NAME, name.length), name])
}

/** @param host as a URL has it: without an embedded IPv4 address */
function bytesOfV6(host: string): Buffer {
  const [left = '', right = ''] = host.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(left), groups(right)]
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** Takes exactly this number of bytes; later ones stay in the socket. */
function take(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const read = (): void => {
      const bytes = socket.read(length) as Buffer | null
      if (bytes === null) return
      leave()
      if (bytes.length === length) resolve(bytes)
      else reject(new Error('it closed the connection'))
    }
    const ended = (): void => {
      leave()
      reject(new Error('it closed the connection'))
    }
    const failed = (error: Error): void => {
      leave()
      reject(error)
    }
    const leave = (): void =>
      void socket.off('readable', read).off('end', ended).off('close', ended).off('error', failed)
    socket.on('readable', read).once('end', ended).once('close', ended).once('error', failed)
    read()
  })
}
