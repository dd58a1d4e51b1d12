import type {RegistryClient} from '../../client/client.js'
import {responseError} from '../../http/response-error.js'
import {isMirrorError, type CallOptions, type MirrorError} from '../../model/index.js'
import {patchSession} from './patch-session.js'
import {receivedBytes} from './upload-range.js'
import {cancelUpload, movedSession, openedSession, postUpload, type UploadSession} from './upload-session.js'

export {probeBody, type BodyAnswer} from './probe-body.js'

/** `unknown`: the registry's answer says neither. */
export type Ability = 'yes' | 'no' | 'unknown'

export interface PushRight {
  /** Absent: an upload can be opened. */
  readonly refusal: MirrorError | undefined
  /** Several PATCH requests for one blob. */
  readonly chunks: Ability
}

const CHUNK = Buffer.alloc(1024)

/**
 * Opens an upload, sends two small chunks and cancels it. Nothing stays.
 * @throws {MirrorError} the errors of the network
 */
export async function probeUpload(
  client: RegistryClient,
  {repository, signal}: CallOptions & {readonly repository: string},
): Promise<PushRight> {
  const response = await postUpload(client, {repository, signal})
  if (response.status >= 300) {
    const what = `cannot push to ${client.registry}/${repository}`
    return {refusal: await responseError(response, {side: client.side, what}), chunks: 'unknown'}
  }
  await response.discard()
  let session: UploadSession
  try {
    session = openedSession(client, {response, repository})
  } catch (error) {
    if (isMirrorError(error)) return {refusal: error, chunks: 'unknown'}
    throw error
  }
  const {chunks, session: last} = await sendTwoChunks(client, {session, signal})
  await cancelUpload(client, last)
  return {refusal: undefined, chunks}
}

/** A registry that takes a second chunk takes any number. */
async function sendTwoChunks(
  client: RegistryClient,
  {session, signal}: {readonly session: UploadSession; readonly signal: AbortSignal | undefined},
): Promise<{readonly chunks: Ability; readonly session: UploadSession}> {
  let open = session
  // A registry that names its least chunk takes chunks, and refuses the small ones below.
  if (client.host.chunkMin > 0) return {chunks: 'yes', session: open}
  for (const index of [0, 1]) {
    const start = index * CHUNK.length
    const sender = {client, repository: open.repository, signal}
    const response = await patchSession(sender, open, {body: {bytes: CHUNK}, offset: start})
    await response.discard()
    if (response.status >= 500) return {chunks: 'unknown', session: open}
    if (response.status >= 300) return {chunks: 'no', session: open}
    // ECR answers success to a second chunk and does not keep it.
    const received = receivedBytes(response.header('range'))
    if (received !== undefined && received < start + CHUNK.length) return {chunks: 'no', session: open}
    open = movedSession(open, response)
  }
  return {chunks: 'yes', session: open}
}
