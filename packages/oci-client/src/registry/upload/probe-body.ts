import type {RegistryClient} from '../../client/client.js'
import {isBrokenConnection} from '../../http/transport-error.js'
import type {Bytes, CallOptions} from '../../model/index.js'
import {patchSession} from './patch-session.js'
import {cancelUpload, movedSession, openedSession, postUpload} from './upload-session.js'

/** `broken`: the connection ended before an answer, as some proxies refuse. A number: another status. */
export type BodyAnswer = 'taken' | 'too large' | 'broken' | number

const PIECE = Buffer.alloc(64 * 1024)

/**
 * Sends one request with so many bytes of an upload, and cancels the upload. Nothing stays.
 * @throws {MirrorError} the errors of the network before the request
 */
export async function probeBody(
  client: RegistryClient,
  {repository, size, signal}: CallOptions & {readonly repository: string; readonly size: number},
): Promise<BodyAnswer> {
  const opened = await postUpload(client, {repository, signal})
  await opened.discard()
  if (opened.status >= 300) return opened.status
  let session = openedSession(client, {response: opened, repository})
  try {
    const body = {stream: zeros(size), length: size}
    const response = await patchSession({client, repository, signal}, session, {body})
    await response.discard()
    if (response.status === 413) return 'too large'
    if (response.status >= 300) return response.status
    session = movedSession(session, response)
    return 'taken'
  } catch (error) {
    if (isBrokenConnection(error)) return 'broken'
    throw error
  } finally {
    await cancelUpload(client, session)
  }
}

async function* zeros(size: number): Bytes {
  for (let left = size; left > 0; left -= PIECE.length) yield PIECE.subarray(0, left)
}
