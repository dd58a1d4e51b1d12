import type {Upload} from './upload-step.js'
import {CANCEL_WAIT, cancelUpload, getStatus, sessionStatus, type UploadSession} from './upload-session.js'
import {isTransient} from '../../http/transport-error.js'
import {isMirrorError} from '../../model/index.js'

/** What becomes of the session of an upload that ended with an error: a later run can go on with it, or it is given up. */
export async function leaveSession(
  upload: Upload,
  {session, error}: {readonly session: UploadSession; readonly error: unknown},
): Promise<void> {
  // Whoever was not there for the upload is not there for this either; a later run asks again.
  if (isTransient(error)) return
  const isInterrupted = isMirrorError(error) && error.code === 'CANCELLED'
  if (isInterrupted && (await isResumable(upload, session))) return
  await upload.journal.forget()
  await cancelUpload(upload.client, session)
}

/** Asks the registry, since registries that cannot resume end a session for being asked, and notes where it is. */
async function isResumable({client, journal}: Upload, session: UploadSession): Promise<boolean> {
  if (client.host.resume === 'broken' || !(await journal.note(session))) return false
  try {
    const answer = await getStatus(client, {session, signal: AbortSignal.timeout(CANCEL_WAIT)})
    await answer.discard()
    const status = sessionStatus(session, answer)
    if (status.kind === 'ended') client.host.resume = 'broken'
    return status.kind === 'open' && status.received > 0 && (await journal.note(status.session))
  } catch (error) {
    // Whoever does not answer now may do so when a later run asks.
    return isTransient(error)
  }
}
