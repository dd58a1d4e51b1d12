import {BlockList, isIP, isIPv4} from 'node:net'

export interface Target {
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: string
}

/**
 * Returns true if a target is reached without a proxy, by the rules of Go's `golang.org/x/net/http/httpproxy`, for
 * which existing lists were written.
 * `foo.com` is the host and its subdomains; `.foo.com` and `*.foo.com` are the subdomains alone. Names and IP addresses
 * may have a `:port`.
 * CIDRs match addresses (names are not resolved), `*` matches everything, and localhost and loopback addresses are
 * always direct.
 */
export function isDirect(target: Target, noProxy: string): boolean {
  if (target.host === 'localhost' || inSubnet(target.host, LOOPBACK)) return true
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches({...target, host: withoutDot(target.host)}, entry))
}

function matches(target: Target, entry: string): boolean {
  if (entry === '*') return true
  const subnet = parseSubnet(entry)
  if (subnet !== undefined) return inSubnet(target.host, subnet)
  const {host, port} = splitPort(entry)
  if (host === '' || (port !== undefined && port !== target.port)) return false
  if (isIP(host) !== 0) return inSubnet(target.host, singleAddress(host))
  if (isIP(target.host) !== 0) return false
  const plain = withoutDot(host)
  const name = plain.startsWith('*.') ? plain.slice(1) : plain
  return name.startsWith('.') ? target.host.endsWith(name) : `.${target.host}`.endsWith(`.${name}`)
}

/** A final dot only says that a name is complete. */
function withoutDot(host: string): string {
  return host.replace(/(?<=.)\.$/, '')
}

function parseSubnet(entry: string): BlockList | undefined {
  const slash = entry.indexOf('/')
  if (slash < 0) return undefined
  const address = entry.slice(0, slash)
  const bits = entry.slice(slash + 1)
  const family = isIP(address)
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return undefined
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  return list
}

function singleAddress(address: string): BlockList {
  const list = new BlockList()
  list.addAddress(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  return list
}

function inSubnet(host: string, list: BlockList): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function splitPort(entry: string): {readonly host: string; readonly port?: string} {
  const bracketed = /^\[(?<host>[^\]]*)\](?::(?<port>.*))?$/.exec(entry)?.groups
  if (bracketed !== undefined) {
    const {host = '', port} = bracketed
    return port === undefined ? {host} : {host, port}
  }
  const colon = entry.indexOf(':')
  if (colon < 0 || entry.indexOf(':', colon + 1) >= 0) return {host: entry}
  return {host: entry.slice(0, colon), port: entry.slice(colon + 1)}
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
