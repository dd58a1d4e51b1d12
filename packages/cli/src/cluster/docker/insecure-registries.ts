import {BlockList, isIP} from 'node:net'
import {isLoopback, splitHostPort} from '../go-url.js'
import type {DaemonJson} from './daemon-json.js'

/** True if dockerd talks to the host without verification: named exactly, in a network of the list, or loopback. */
export function isInsecureRegistry(host: string, {insecure}: Pick<DaemonJson, 'insecure'>): boolean {
  const entries = insecure.map(({value}) => value.replace(/^https?:\/\//i, ''))
  if (host === 'docker.io') return false
  if (entries.includes(host) || isLoopback(host)) return true
  const {name} = splitHostPort(host)
  const family = isIP(name)
  return family !== 0 && networksOf(entries).check(name, family === 6 ? 'ipv6' : 'ipv4')
}

/** True if a network in the list may contain the host, which only its address on the node can tell. */
export function mayBeInsecure(host: string, {insecure}: Pick<DaemonJson, 'insecure'>): boolean {
  return (
    isIP(splitHostPort(host).name) === 0 &&
    insecure.some(({value}) => value.includes('/') && !value.includes('://'))
  )
}

function networksOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits = ''] = entry.split('/')
    const family = isIP(address)
    const length = Number(bits)
    if (family === 0 || bits === '' || length > (family === 6 ? 128 : 32)) continue
    list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
