import {readFileSync, statSync} from 'node:fs'
import {basename, join} from 'node:path'
import {limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {memoryFiles} from './memory-files.js'
import type {NodeFiles} from './node-files.js'
import {placeOnNode} from './place-on-node.js'
import {walkNode} from './walk-node.js'

/**
 * Reads what lies below a directory as on a node, or one file as if it were in its usual place.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export function readNodeFiles(path: string, {as}: {readonly as?: string | undefined} = {}): NodeFiles {
  const found = inspect(path)
  if (found.isDirectory()) return directoryFiles(path)
  if (!found.isFile()) throw new MirrorError('CONFIG_INVALID', `${path} is neither a file nor a directory`)
  const text = readNodeFile(path)
  return memoryFiles(new Map([[placeOnNode(basename(path), {as, text}), text]]))
}

function directoryFiles(root: string): NodeFiles {
  const {files, directories, warnings} = walkNode(root)
  const texts = new Map<string, string>()
  return {
    paths: [...files.keys()],
    warnings,
    text: (path) => {
      const place = files.get(path)
      if (place === undefined) return undefined
      const text = texts.get(path) ?? readNodeFile(place)
      texts.set(path, text)
      return text
    },
    isDirectory: (path) => directories.has(path.length > 1 ? path.replace(/\/+$/, '') : path),
  }
}

function inspect(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path)
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `cannot read ${path}: ${messageOf(cause)}`, {cause})
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
    throw new MirrorError('CONFIG_INVALID', `cannot read ${join(path)}: ${messageOf(cause)}`, {cause})
  }
  return new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes)
}
