import {nameOf, type RegistryClient} from '../../client/client.js'
import {withDigest} from '../../client/endpoints.js'
import {headBlob} from '../../client/head-blob.js'
import {leaveSession} from './leave-session.js'
import {committed, sendContent} from './send-content.js'
import {retryBudget} from './retry-budget.js'
import {sessionRequest} from './session-request.js'
import {exchange} from './upload-exchange.js'
import {WHOLE_MAX} from './upload-mode.js'
import {
  cancelUpload,
  getStatus,
  openedSession,
  postUpload,
  sessionStatus,
  type UploadSession,
} from './upload-session.js'
import {withLimit} from './torn-body.js'
import type {Setback, TornBody, Upload, UploadState, UploadStep} from './upload-step.js'
import {isBusy} from './upload-verdict.js'
import type {HttpResponse} from '../../http/send.js'
import {sleep} from '../../http/sleep.js'
import {isTransient} from '../../http/transport-error.js'
import {
  cancelled,
  contentKey,
  isMirrorError,
  isPending,
  messageOf,
  MirrorError,
  type Descriptor,
} from '../../model/index.js'

type StateOf<Step extends UploadState['step']> = Extract<UploadState, {step: Step}>

export interface Uploaded {
  readonly content: Descriptor
  readonly attempts: number
}

/**
 * Uploads one blob, as a state machine whose only retry is this loop.
 * @param session left open by a refused mount
 * @throws the source's errors unchanged; MirrorError for the registry's failures
 */
export async function uploadBlob(
  upload: Upload,
  {session}: {readonly session?: UploadSession} = {},
): Promise<Uploaded> {
  const left = await upload.journal.find()
  if (left === undefined)
    return runUpload(upload, session === undefined ? {step: 'open'} : {step: 'send', session, offset: 0})
  if (session !== undefined) await cancelUpload(upload.client, session)
  return runUpload(upload, {step: 'resume', session: left})
}

async function runUpload(upload: Upload, start: UploadState): Promise<Uploaded> {
  const {client, signal} = upload
  const budget = retryBudget(client.policy, client)
  let state = start
  let attempts = 0
  let torn: TornBody | undefined
  try {
    while (state.step !== 'done') {
      if (signal?.aborted) throw cancelled(signal)
      if (state.step === 'send') {
        attempts += 1
        budget.reached(state.offset)
      }
      const taken = await advance(upload, state)
      if (taken.step !== 'setback') {
        state = await journalled(upload, taken)
        continue
      }
      const step = withLimit(upload, {setback: taken, first: torn})
      torn = taken.torn ?? torn
      const wait = budget.spend(step)
      if (wait === undefined) {
        state = step.next
        throw step.error
      }
      const retry = retryOf(upload, step)
      client.onRetry({...retry, wait})
      await sleep(wait, signal, () => `retry ${retry.what}`)
      state = await journalled(upload, step.next)
    }
    upload.onProgress(state.content.size)
    return {content: state.content, attempts}
  } catch (error) {
    const session = sessionOf(state)
    if (session?.adopted === true && mayBlame(session, {client, error})) {
      const {repository, url} = session
      return runUpload(upload, {step: 'open', abandoned: {repository, url}})
    }
    if (session !== undefined) await leaveSession(upload, {session, error})
    throw error
  }
}

/** Saves the place of an upload before any byte is sent there. */
async function journalled({journal}: Upload, state: UploadState): Promise<UploadState> {
  if (state.step === 'open' || state.step === 'done') await journal.forget()
  else await journal.note(state.session)
  return state
}

/** Returns true if a new session may succeed: neither the source nor the link to the registry is at fault. */
function mayBlame(
  {url}: UploadSession,
  {client, error}: {readonly client: RegistryClient; readonly error: unknown},
): boolean {
  return (
    isMirrorError(error) &&
    error.side !== 'source' &&
    error.code !== 'CANCELLED' &&
    (url.origin !== client.origin || !isTransient(error))
  )
}

async function advance(upload: Upload, state: Exclude<UploadState, {step: 'done'}>): Promise<UploadStep> {
  if (state.step === 'open') return open(upload, state)
  if (state.step === 'send') return sendContent(upload, state)
  return state.step === 'commit' ? commit(upload, state) : resume(upload, state)
}

async function open(upload: Upload, {abandoned}: StateOf<'open'>): Promise<UploadStep> {
  const {client, repository, signal} = upload
  if (abandoned !== undefined) await cancelUpload(client, abandoned)
  const answer = await exchange(upload, {
    stage: 'open',
    body: 0,
    request: () => postUpload(client, {repository, signal}),
  })
  if ('step' in answer) return answer
  await answer.discard()
  return {step: 'send', session: openedSession(client, {response: answer, repository}), offset: 0}
}

async function commit(upload: Upload, {session, content}: StateOf<'commit'>): Promise<UploadStep> {
  const {origin, path} = session.url
  const answer = await exchange(upload, {
    stage: 'commit',
    session,
    content,
    body: 0,
    request: () =>
      sessionRequest(upload, {
        method: 'PUT',
        url: {origin, path: withDigest(path, content.digest)},
        headers: {'content-length': '0'},
      }),
  })
  return 'step' in answer ? answer : committed(upload, {answer, session, content})
}

/** Finds out after a setback if the blob is there, or how much of it the session has; else starts again. */
async function resume(upload: Upload, state: StateOf<'resume'>): Promise<UploadStep> {
  const {client, blob} = upload
  const {session, content} = state
  const again = {upload, state}
  if (content !== undefined) {
    const there = await ask(again, () =>
      headBlob(client, {...upload, send: client.sendOnce, digest: content.digest}),
    )
    if ('step' in there) return there
    await there.discard()
    if (there.status === 200) return {step: 'done', content}
    if (state.otherwise === 'complain') {
      // A registry that does not say is taken at its word: the manifest's PUT shows if the blob is there.
      return there.status === 404 ? brokenPromise(upload, content) : {step: 'done', content}
    }
  }
  const known = isPending(blob.content) ? content : blob.content
  const size = known?.size ?? Number.POSITIVE_INFINITY
  // A new session costs as much as asking the old one about so few bytes.
  if (state.otherwise === 'restart' || size <= WHOLE_MAX) return {step: 'open', abandoned: session}
  if (client.host.resume === 'broken') {
    warnOfRestart(client)
    return {step: 'open', abandoned: session}
  }
  const answer = await ask(again, () => getStatus(client, {session, signal: upload.signal}))
  // A session that hangs, or with which the registry fails, could not be cancelled either.
  if ('step' in answer)
    return answer.status === 500 || isTimeout(answer.error) ? {...answer, next: {step: 'open'}} : answer
  await answer.discard()
  const status = sessionStatus(session, answer)
  // Registries give the same range for one byte and for none, so the upload starts again.
  if (status.kind === 'open' && status.received > 0 && status.received <= size) {
    client.host.resume = 'works'
    return known !== undefined && status.received === size
      ? {step: 'commit', session: status.session, content: known}
      : {step: 'send', session: status.session, offset: status.received}
  }
  if (status.kind === 'ended') {
    client.host.resume = 'broken'
    warnOfRestart(client)
  } else if (session.adopted === true && status.kind === 'unknown') {
    client.warn(
      `${client.registry} has not kept the part of a blob that an earlier run sent: the blob is sent again from its start`,
    )
  }
  return {step: 'open', abandoned: status.kind === 'open' ? session : undefined}
}

function warnOfRestart({registry, warn}: RegistryClient): void {
  warn(`${registry} cannot continue a broken upload: such blobs start again from zero`)
}

/** Sends a request of the recovery. Only a failure that waiting may mend is a setback, and it keeps the state. */
function ask(
  {upload, state}: {readonly upload: Upload; readonly state: StateOf<'resume'>},
  question: () => Promise<HttpResponse>,
): Promise<HttpResponse | Setback> {
  return exchange(upload, {
    ...state,
    stage: 'ask',
    body: 0,
    request: question,
    accepts: (status) => !isBusy(status),
  })
}

function brokenPromise({client, repository}: Upload, {digest}: Descriptor): Setback {
  return {
    step: 'setback',
    next: {step: 'open'},
    error: new MirrorError(
      'PROTOCOL',
      `${nameOf(client, {repository, digest})} was accepted by the registry and then was not there`,
      {side: client.side},
    ),
    why: 'refused',
  }
}

function isTimeout(error: unknown): boolean {
  return isMirrorError(error) && error.code === 'TIMEOUT'
}

function retryOf(
  {client, repository, blob}: Upload,
  {status, error}: Setback,
): {readonly what: string; readonly reason: string} {
  return {
    what: nameOf(client, {repository, digest: contentKey(blob.content)}),
    reason: status === undefined ? messageOf(error) : `answered ${status}`,
  }
}

function sessionOf(state: UploadState): UploadSession | undefined {
  if (state.step === 'open') return state.abandoned
  return state.step === 'done' ? undefined : state.session
}
