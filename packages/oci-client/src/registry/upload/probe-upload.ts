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
  const current = {session}
  try {
    return {refusal: undefined, chunks: await sendTwoChunks(client, current, signal)}
  } finally {
    await cancelUpload(client, current.session)
  }
}

/**
 * A registry that takes a second chunk takes any number.
 * @param current the session, which is replaced as the registry moves it
 */
async function sendTwoChunks(
  client: RegistryClient,
  current: {session: UploadSession},
  signal: AbortSignal | undefined,
): Promise<Ability> {
  // A registry that names its least chunk takes chunks, and refuses the small ones below.
  if (client.host.chunkMin > 0) return 'yes'
  for (const index of [0, 1]) {
    const start = index * CHUNK.length
    const sender = {client, repository: current.session.repository, signal}
    const response = await patchSession(sender, current.session, {body: {bytes: CHUNK}, offset: start})
    await response.discard()
    if (response.status >= 500) return 'unknown'
    if (response.status >= 300) return 'no'
    // ECR answers success to a second chunk and does not keep it.
    const received = receivedBytes(response.header('range'))
    if (received !== undefined && received < start + CHUNK.length) return 'no'
    current.session = movedSession(current.session, response)
  }
  return 'yes'
}
