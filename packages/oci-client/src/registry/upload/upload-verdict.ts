import type {HostKnowledge} from '../../client/host-knowledge.js'
import {smallerBody} from './upload-mode.js'
import type {ErrorCode} from '../../model/index.js'

/** `ask` is a question of the recovery: is the blob there, and how much of it. */
export type UploadStage = 'open' | 'whole' | 'stream' | 'chunk' | 'commit' | 'ask'

export interface UploadFailure {
  readonly stage: UploadStage
  /** The status of the answer. 2xx if its headers contradict the request. */
  readonly status: number
  readonly code: ErrorCode
  /** Bytes acknowledged before the request, and bytes of its body. */
  readonly offset: number
  readonly body: number
}

/** The step after a failed request: resume the session, or renew it and start again. */
export interface UploadVerdict {
  readonly next: 'resume' | 'renew'
  /**
   * The reason to go on, which also bounds how often.
   * busy: as the retry policy says.
   * expired: the token.
   * gone: the session.
   * refused: once, because it may be a race.
   * adapt: the host needs another way of sending, which is now known.
   */
  readonly why: 'busy' | 'expired' | 'gone' | 'refused' | 'adapt'
  readonly learn?: Partial<HostKnowledge>
  /** For the user, if the host needs another way of sending. */
  readonly note?: string
}

interface Context {
  readonly host: HostKnowledge
  readonly chunkSize: 'auto' | number
}

/**
 * Judges an answer without success; undefined means that no retry will help. Pure.
 * Known quirks: Artifactory < 7 (404 on a PUT with body), ECR (drops chunks), GAR (refuses chunks), nginx in front
 * (413), Nexus (400 for two uploads of one blob at once).
 */
export function judgeUpload(
  {stage, status, code, offset, body}: UploadFailure,
  {host, chunkSize}: Context,
): UploadVerdict | undefined {
  const renew = stage === 'open' || stage === 'whole'
  if (code === 'REGISTRY_FULL') return undefined
  if (isBusy(status)) return {next: renew ? 'renew' : 'resume', why: 'busy'}
  const sending = stage === 'stream' || stage === 'chunk'
  if (status === 401) return sending ? {next: 'resume', why: 'expired'} : undefined
  if (stage === 'open' || status === 403 || status === 415 || code === 'REPOSITORY_UNKNOWN') return undefined
  if (status === 413 && stage !== 'commit')
    return smaller(body, {host, chunkSize, next: offset > 0 ? 'resume' : 'renew'})
  if (stage === 'whole' && host.bodyPut !== 'works' && (status === 404 || status === 405)) {
    return {next: 'renew', why: 'adapt', learn: {bodyPut: 'broken'}}
  }
  if (stage === 'chunk' && host.chunks !== 'work') {
    return {
      next: 'renew',
      why: 'adapt',
      learn: {chunks: 'broken'},
      note: 'does not take blobs in chunks: each is sent in one request instead',
    }
  }
  if (status === 404 || status === 410) return {next: stage === 'commit' ? 'resume' : 'renew', why: 'gone'}
  // Bytes of a broken request may still have been on their way when the session was asked.
  if (status === 416 && (stage === 'chunk' || offset > 0)) return {next: 'resume', why: 'refused'}
  if (status < 300 || status === 400 || status === 409 || status === 416)
    return {next: 'renew', why: 'refused'}
  return undefined
}

function smaller(
  refused: number,
  {host, chunkSize, next}: Context & Pick<UploadVerdict, 'next'>,
): UploadVerdict | undefined {
  const bodyMax = smallerBody(host, {refused, chunkSize})
  return bodyMax === undefined
    ? undefined
    : {
        next,
        why: 'adapt',
        learn: {bodyMax},
        note: 'limits the size of a request (413): blobs are sent in smaller chunks',
      }
}

/** Returns true for statuses caused by the registry's condition and not by the request. */
export function isBusy(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}
