import type {UploadSession} from './upload-session.js'
import type {Setback, Upload, UploadState} from './upload-step.js'
import {judgeUpload, type UploadStage, type UploadVerdict} from './upload-verdict.js'
import {responseError} from '../../http/response-error.js'
import {timeOf} from '../../http/retry-after.js'
import type {HttpResponse} from '../../http/send.js'
import {isTransient} from '../../http/transport-error.js'
import {awayError} from './led-away.js'
import {cancelled, contentKey, MirrorError, type Descriptor} from '../../model/index.js'

export interface ExchangeContext {
  readonly stage: UploadStage
  readonly session?: UploadSession
  /** Set if the blob may be there although the request failed. */
  readonly content?: Descriptor
  /** Bytes acknowledged before this request, and bytes of its body. */
  readonly offset?: number
  readonly body: number
  /** Statuses that are no setback; default 2xx. */
  readonly accepts?: (status: number) => boolean
}

/**
 * Sends one request of an upload. Returns its answer if the status is accepted, else a setback.
 * @throws {MirrorError} if a retry cannot help
 */
export async function exchange(
  upload: Upload,
  context: ExchangeContext & {readonly request: () => Promise<HttpResponse>},
): Promise<HttpResponse | Setback> {
  let response: HttpResponse
  try {
    response = await context.request()
  } catch (error) {
    if (upload.signal?.aborted) throw cancelled(upload.signal)
    if (!isTransient(error)) throw error
    return {step: 'setback', next: afterBreak(context), error, why: 'busy'}
  }
  const {accepts = isSuccess} = context
  return accepts(response.status) ? response : refused(upload, {...context, response})
}

/** Returns the setback for an answer without success, or with headers that contradict its success. */
export async function refused(
  upload: Upload,
  context: ExchangeContext & {readonly response: HttpResponse; readonly contradiction?: string},
): Promise<Setback> {
  const {client, repository, blob} = upload
  const {response, stage, body, offset = 0} = context
  const name = `${client.registry}/${repository}@${contentKey(blob.content)}`
  const error =
    context.contradiction === undefined
      ? awayError(client, {
          response,
          error: await responseError(response, {side: client.side, what: `cannot push the blob ${name}`}),
        })
      : new MirrorError('PROTOCOL', `cannot push the blob ${name}: ${context.contradiction}`, {
          side: client.side,
        })
  if (context.contradiction !== undefined) await response.discard()
  const verdict = judgeUpload({stage, status: response.status, code: error.code, offset, body}, client)
  if (verdict === undefined) throw error
  learn(upload, verdict)
  return {
    step: 'setback',
    next: afterRefusal(verdict, context),
    error,
    why: verdict.why,
    status: response.status,
    retryAfter: response.header('retry-after'),
    now: timeOf(response),
  }
}

function nextOf(next: 'resume' | 'renew', {session, content}: ExchangeContext): UploadState {
  return next === 'renew' || session === undefined
    ? {step: 'open', abandoned: session}
    : {step: 'resume', session, content}
}

/** Perhaps only the answer was lost. */
function afterBreak(context: ExchangeContext): UploadState {
  const {stage, session, content} = context
  if (stage === 'whole' && session !== undefined && content !== undefined)
    return {step: 'resume', session, content, otherwise: 'restart'}
  return nextOf(stage === 'open' ? 'renew' : 'resume', context)
}

function afterRefusal({next, why}: UploadVerdict, context: ExchangeContext): UploadState {
  const {session, content} = context
  // A session that the registry does not know cannot be cancelled.
  if (next === 'renew' && why === 'gone') return {step: 'open'}
  // Another upload of the same blob may have finished first, which some registries report as an error (Nexus).
  if (why === 'refused' && session !== undefined && content !== undefined)
    return {step: 'resume', session, content, otherwise: 'restart'}
  return nextOf(next, context)
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function learn({client}: Upload, {learn: learnt, note}: UploadVerdict): void {
  Object.assign(client.host, learnt)
  if (note !== undefined) client.warn(`${client.registry} ${note}`)
}
