import {posix} from 'node:path'
import {parseGoUrl} from '../go-url.js'
import type {RegistryHost} from './registry-host.js'

/**
 * Scheme, host and API root of a URL in hosts.toml; absent if it is not valid. The host is empty if it names none, as for
 * `httpd.example`: a text that begins with http counts as having a scheme.
 */
export function hostAddress(
  name: string,
  {overrides}: {readonly overrides: boolean},
): Pick<RegistryHost, 'scheme' | 'host' | 'path'> | undefined {
  if (name === '') return {scheme: '', host: '', path: ''}
  const text = name.startsWith('http') ? name : `https://${name}`
  if (!text.includes('://')) return {scheme: '', host: '', path: ''}
  const url = parseGoUrl(text)
  if (url === undefined) return undefined
  if (url.path === '') return {scheme: url.scheme, host: url.host, path: overrides ? '' : '/v2'}
  const clean = posix.normalize(url.path).replace(/(.)\/$/, '$1')
  const path = clean.endsWith('/v2') || overrides ? clean : posix.join(clean, '/v2')
  return {scheme: url.scheme, host: url.host, path}
}
