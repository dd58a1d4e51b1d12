import {messageOf} from '@airgap-mirror/oci-client/model'
import type {NodeFiles} from '../files/node-files.js'
import {parseGoUrl} from '../go-url.js'
import {readYamlDocuments} from '../yaml/read-yaml-documents.js'
import {booleanOf, textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'

interface Named {
  readonly value: string
  readonly line: number
}

export interface DaemonJson {
  readonly path: string
  readonly mirrors: readonly Named[]
  readonly insecure: readonly Named[]
  /** `features.containerd-snapshotter`, if it is set. */
  readonly usesContainerd?: boolean
}

const DAEMON_JSON = '/etc/docker/daemon.json'

/** The registry settings of dockerd, or the message with which dockerd does not start. */
export function readDaemonJson(files: NodeFiles): {readonly daemon: DaemonJson} | {readonly message: string} {
  const path = DAEMON_JSON
  const text = files.text(path)
  if (text === undefined || text.trim() === '') return {daemon: {path, mirrors: [], insecure: []}}
  try {
    JSON.parse(text)
  } catch (error) {
    return {message: failure(`it is not JSON: ${messageOf(error).replace(/ in JSON.*$|, ".*$/s, '')}`)}
  }
  const [root] = readYamlDocuments(text).documents ?? []
  const mirrors = listAt(root, 'registry-mirrors')
  const insecure = listAt(root, 'insecure-registries')
  if (mirrors === undefined) return {message: failure('registry-mirrors is not a list of strings')}
  if (insecure === undefined) return {message: failure('insecure-registries is not a list of strings')}
  const fault = mirrors.map(mirrorFault).find((found) => found !== undefined) ?? insecureFault(insecure)
  if (fault !== undefined) return {message: failure(fault)}
  const usesContainerd = booleanOf(valueAt(root, 'features', 'containerd-snapshotter'))
  return {daemon: {path, mirrors, insecure, usesContainerd}}
}

function failure(why: string): string {
  return `unable to configure the Docker daemon with file ${DAEMON_JSON}: ${why}`
}

function listAt(root: YamlNode | undefined, key: string): readonly Named[] | undefined {
  const node = valueAt(root, key)
  if (node === undefined) return []
  if (node.kind !== 'list') return undefined
  const named = node.items.map((item) => ({value: textOf(item), line: item.line}))
  return named.every((item): item is Named => item.value !== undefined) ? named : undefined
}

function mirrorFault({value}: Named): string | undefined {
  const shown = JSON.stringify(value.replace(/\/\/[^/@]*@/, '//xxxxx@'))
  const schemes = "must use either 'https://' or 'http://'"
  if (!/^.+:\/\//.test(value)) return `invalid mirror: no scheme specified for ${shown}: ${schemes}`
  const url = parseGoUrl(value)
  if (url === undefined) return `invalid mirror: ${shown} is not a valid URI`
  if (url.scheme !== 'http' && url.scheme !== 'https')
    return `invalid mirror: unsupported scheme "${url.scheme}" in ${shown}: ${schemes}`
  if (url.hasQueryOrFragment) return `invalid mirror: query or fragment at end of the URI ${shown}`
  return url.hasUser ? `invalid mirror: username/password not allowed in URI ${shown}` : undefined
}

function insecureFault(insecure: readonly Named[]): string | undefined {
  for (const {value} of insecure) {
    const host = value.replace(/^https?:\/\//i, '')
    if (host.includes('://')) return `insecure registry ${value} should not contain '://'`
    if (!/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$|^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/.test(host))
      return `insecure registry ${value} is not valid: invalid host "${host}"`
  }
  return undefined
}
