import {readFileSync, statSync} from 'node:fs'
import {basename, join} from 'node:path'
import {limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {directoryOnNode} from './directory-on-node.js'
import {memoryFiles} from './memory-files.js'
import type {NodeFiles} from './node-files.js'
import {placeOnNode} from './place-on-node.js'
import {walkNode} from './walk-node.js'

/**
 * Reads the files below a directory as on a node, or a single file as if it were in its usual place.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export function readNodeFiles(path: string, {as}: {readonly as?: string} = {}): NodeFiles {
  const found = inspect(path)
  if (found.isDirectory()) return directoryFiles(path, as)
  if (!found.isFile()) throw new MirrorError('CONFIG_INVALID', `${path} is neither a file nor a directory`)
  const text = readNodeFile(path)
  return memoryFiles(new Map([[placeOnNode(basename(path), {as, text}), text]]))
}

function directoryFiles(root: string, as: string | undefined): NodeFiles {
  const {files, directories, warnings} = walkNode(root)
  const found = directoryOnNode([...files.keys()])
  const base = found === '/etc/rancher/k3s' && as === 'rke2' ? '/etc/rancher/rke2' : found
  const start = base === '/' ? '' : base
  const texts = new Map<string, string>()
  const below = (path: string): string | undefined =>
    path.startsWith(`${start}/`) ? path.slice(start.length) : undefined
  return {
    paths: [...files.keys()].map((path) => start + path),
    warnings,
    assumed: start === '' ? undefined : [`${root} stands for ${base} of the node, by what lies in it`],
    text: (path) => {
      const place = files.get(below(path) ?? '')
      if (place === undefined) return undefined
      const text = texts.get(path) ?? readNodeFile(place)
      texts.set(path, text)
      return text
    },
    isDirectory: (path) => {
      const plain = path.length > 1 ? path.replace(/\/+$/, '') : path
      return `${start}/`.startsWith(`${plain}/`) || directories.has(below(plain) ?? '')
    },
  }
}

function inspect(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path)
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `--files ${path} cannot be read: ${messageOf(cause)}`, {cause})
  }
}

function readNodeFile(path: string): string {
  let bytes: Buffer
  try {
    const {size} = statSync(path)
    if (size > limits.nodeFileBytes) {
      throw new MirrorError('LIMIT_EXCEEDED', `${path} is over the limit of ${limits.nodeFileBytes} bytes`)
    }
    bytes = readFileSync(path)
  } catch (cause) {
    if (cause instanceof MirrorError) throw cause
    throw new MirrorError('CONFIG_INVALID', `--files: ${join(path)} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  }
  return new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes)
}
