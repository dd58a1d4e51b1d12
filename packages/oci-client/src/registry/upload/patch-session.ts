import {defined} from '../../model/index.js'
import type {HttpBody, HttpResponse} from '../../http/send.js'
import {contentRange} from './upload-range.js'
import {sessionRequest, type Sender} from './session-request.js'
import type {UploadSession} from './upload-session.js'

export interface Patch {
  readonly body: HttpBody
  /** The offset of the body in the blob. Absent: it is sent without a Content-Range, as the only one. */
  readonly offset?: number
}

/** Appends bytes to a session. @throws {MirrorError} the errors of the connection */
export function patchSession(
  sender: Sender,
  {url}: UploadSession,
  {body, offset}: Patch,
): Promise<HttpResponse> {
  const length = 'bytes' in body ? body.bytes.length : body.length
  const range = offset === undefined || length === undefined ? undefined : contentRange(offset, length)
  return sessionRequest(sender, {
    method: 'PATCH',
    url,
    headers: {
      'content-type': 'application/octet-stream',
      ...defined({
        'content-length': length === undefined ? undefined : String(length),
        'content-range': range,
      }),
    },
    body,
  })
}
