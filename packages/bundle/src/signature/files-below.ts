import {readdir} from 'node:fs/promises'
import {join, relative, sep} from 'node:path'
import {limits, messageOf, MirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'

/**
 * Returns the paths of all files below a directory, with `/`.
 * @throws {MirrorError} SIGNATURE_INVALID for a link or device, which no checksum covers; SOURCE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function filesBelow(directory: string, {signal}: CallOptions = {}): Promise<readonly string[]> {
  const files: string[] = []
  const open = [directory]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    throwIfAborted(signal)
    for (const entry of await entriesOf(at)) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) open.push(path)
      else if (entry.isFile()) files.push(relative(directory, path).split(sep).join('/'))
      else {
        throw new MirrorError(
          'SIGNATURE_INVALID',
          `${path} is not a plain file, so no signature can cover it`,
          {
            side: 'source',
            advice: {kind: 'refuse-unsigned'},
          },
        )
      }
    }
    if (files.length + open.length > limits.tarEntries) {
      throw new MirrorError('LIMIT_EXCEEDED', `${directory} holds over ${limits.tarEntries} files`, {
        side: 'source',
      })
    }
  }
  return files
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, {withFileTypes: true})
  } catch (cause) {
    throw new MirrorError('SOURCE_UNREADABLE', `cannot read ${directory}: ${messageOf(cause)}`, {
      side: 'source',
      cause,
    })
  }
}
