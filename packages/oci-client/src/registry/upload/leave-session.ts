import type {Upload} from './upload-step.js'
import {CANCEL_WAIT, cancelUpload, getStatus, sessionStatus, type UploadSession} from './upload-session.js'
import {isTransient} from '../../http/transport-error.js'
import {isMirrorError} from '../../model/index.js'

/** Leaves the session of a failed upload for a later run, or cancels it. */
export async function leaveSession(
  upload: Upload,
  {session, error}: {readonly session: UploadSession; readonly error: unknown},
): Promise<void> {
  // A registry that was unreachable for the upload is unreachable for this request, too. A later run asks again.
  if (isTransient(error)) return
  const isInterrupted = isMirrorError(error) && error.code === 'CANCELLED'
  if (isInterrupted && (await isResumable(upload, session))) return
  await upload.journal.forget()
  await cancelUpload(upload.client, session)
}

/** Asks the registry, because some registries end a session when asked; notes the session if it can be resumed. */
async function isResumable({client, journal}: Upload, session: UploadSession): Promise<boolean> {
  if (client.host.resume === 'broken' || !(await journal.note(session))) return false
  try {
    const answer = await getStatus(client, {session, signal: AbortSignal.timeout(CANCEL_WAIT)})
    await answer.discard()
    const status = sessionStatus(session, answer)
    if (status.kind === 'ended') client.host.resume = 'broken'
    return status.kind === 'open' && status.received > 0 && (await journal.note(status.session))
  } catch (error) {
    // A registry that does not answer now may answer a later run.
    return isTransient(error)
  }
}
