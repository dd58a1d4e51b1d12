import {constants} from 'node:fs'
import {open} from 'node:fs/promises'
import {cancelled, codeOf, limits, messageOf} from '../model/index.js'
import type {CredentialFile} from './credential-places.js'

export type ReadCredentialFile =
  | {readonly found: 'text'; readonly text: string; readonly again: boolean}
  | {readonly found: 'no file'}
  | {readonly found: 'unreadable'; readonly detail: string}

const MISSING = new Set(['ENOENT', 'ENOTDIR'])

/**
 * Reads a file of at most `limits.credentialFileBytes`. A pipe is read only if the user named it, because opening one
 * may block for ever.
 * `again` is false for a pipe: a second reading would find it empty.
 * @throws {MirrorError} CANCELLED
 */
export async function readCredentialFile(
  {path, text, named = false}: CredentialFile,
  {signal}: {readonly signal?: AbortSignal},
): Promise<ReadCredentialFile> {
  if (text !== undefined) return {found: 'text', text, again: false}
  if (signal?.aborted) throw cancelled(signal)
  try {
    const flags = constants.O_RDONLY | (named ? 0 : (constants.O_NONBLOCK ?? 0))
    await using file = await open(path, flags)
    const isFile = (await file.stat()).isFile()
    if (!isFile && !named) return {found: 'unreadable', detail: 'not a regular file'}
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of file.createReadStream({autoClose: false, signal})) {
      const bytes = chunk as Uint8Array
      size += bytes.length
      if (size > limits.credentialFileBytes) {
        return {found: 'unreadable', detail: `over the limit of ${limits.credentialFileBytes} bytes`}
      }
      chunks.push(bytes)
    }
    return {found: 'text', text: Buffer.concat(chunks).toString('utf8'), again: isFile}
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    const code = codeOf(error)
    if (code === undefined) throw error
    return MISSING.has(code) ? {found: 'no file'} : {found: 'unreadable', detail: messageOf(error)}
  }
}
