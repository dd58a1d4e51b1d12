import {withDigest} from '../../client/endpoints.js'
import {OutgoingBlob} from './outgoing-blob.js'
import {patchSession, type Patch} from './patch-session.js'
import {sessionRequest} from './session-request.js'
import {exchange, refused, type ExchangeContext} from './upload-exchange.js'
import {BUFFERED_CHUNK, uploadMode, WHOLE_MAX, type UploadMode} from './upload-mode.js'
import {receivedBytes} from './upload-range.js'
import {isBlobLocation, movedSession, type UploadSession} from './upload-session.js'
import type {Setback, Upload, UploadStep} from './upload-step.js'
import type {HttpBody, HttpResponse} from '../../http/send.js'
import {isBrokenConnection} from '../../http/transport-error.js'
import {cancelled, digestOf, isPending, MirrorError, type Descriptor} from '../../model/index.js'

const OCTETS = {'content-type': 'application/octet-stream'} as const

interface Sending {
  readonly upload: Upload
  readonly outgoing: OutgoingBlob
  readonly session: UploadSession
  readonly offset: number
}

/**
 * Opens the source and sends the bytes that the session still lacks.
 * @throws the source's errors unchanged, because they do not concern the network
 */
export async function sendContent(
  upload: Upload,
  {session, offset}: {readonly session: UploadSession; readonly offset: number},
): Promise<UploadStep> {
  const {client, blob, signal, onProgress} = upload
  onProgress(offset)
  const outgoing = new OutgoingBlob(blob, {offset, signal, paced: client.paced, onProgress})
  try {
    return await sendBy(await chooseMode(upload, {outgoing, offset}), {upload, outgoing, session, offset})
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    throw outgoing.failure === undefined ? error : outgoing.failure.error
  } finally {
    upload.sent += outgoing.position - offset
    await outgoing.close()
  }
}

async function chooseMode(
  {client, blob: {content}}: Upload,
  {outgoing, offset}: {readonly outgoing: OutgoingBlob; readonly offset: number},
): Promise<UploadMode> {
  const pending = isPending(content)
  const short = pending && offset === 0 ? await outgoing.peek(WHOLE_MAX) : undefined
  const remaining = pending ? short?.length : content.size - offset
  const mode = uploadMode(client.host, {remaining, chunkSize: client.chunkSize})
  // The last piece cannot be the body of the PUT: it needs a Content-Range, which few registries read.
  return mode.kind === 'whole' && offset > 0 ? {kind: 'stream'} : mode
}

function sendBy(mode: UploadMode, sending: Sending): Promise<UploadStep> {
  if (mode.kind === 'whole') return sendWhole(sending)
  return mode.kind === 'stream' ? sendStream(sending) : sendChunks(sending, mode.size)
}

/** Sends the whole blob in the PUT that commits it; the POST came before. */
async function sendWhole({upload, outgoing, session}: Sending): Promise<UploadStep> {
  const bytes = await collect(outgoing)
  const content = await finalDescriptor(upload, {outgoing, bytes})
  const {origin, path} = session.url
  const context: ExchangeContext = {stage: 'whole', session, content, body: bytes.length}
  const answer = await exchange(upload, {
    ...context,
    request: () =>
      sessionRequest(upload, {
        method: 'PUT',
        url: {origin, path: withDigest(path, content.digest)},
        headers: {...OCTETS, 'content-length': String(bytes.length)},
        body: {bytes},
      }),
  })
  if ('step' in answer) return answer
  if (bytes.length > 0 && answer.status !== 202) upload.client.host.bodyPut = 'works'
  return committed(upload, {answer, session, content})
}

/** Sends all remaining bytes in one PATCH, without Content-Range unless it resumes. */
async function sendStream(sending: Sending): Promise<UploadStep> {
  const {upload, outgoing, session, offset} = sending
  const known = isPending(upload.blob.content) ? undefined : upload.blob.content
  const length = known === undefined ? undefined : known.size - offset
  const context: ExchangeContext = {
    stage: 'stream',
    session,
    offset,
    body: length ?? BUFFERED_CHUNK * 2,
  }
  const answer = await patch(sending, {
    context,
    body: {stream: outgoing.take(Number.POSITIVE_INFINITY), length},
    offset: offset > 0 ? offset : undefined,
  })
  if ('step' in answer) return answer
  if (!outgoing.ended) return tooEarly(upload, {...context, content: known, response: answer})
  await answer.discard()
  const content = await finalDescriptor(upload, {outgoing})
  const location = answer.header('location')
  if (location !== undefined && isBlobLocation(location, content.digest))
    return {step: 'resume', session, content, otherwise: 'complain'}
  return {step: 'commit', session: movedSession(session, answer), content}
}

/** Sends one PATCH for every `size` bytes, from one reading of the source. */
async function sendChunks(sending: Sending, size: number): Promise<UploadStep> {
  const {upload, outgoing} = sending
  const {host} = upload.client
  let {session, offset} = sending
  while (!outgoing.ended) {
    const {body, length} = await nextChunk(sending, size)
    if (length === 0) break
    const context: ExchangeContext = {stage: 'chunk', session, offset, body: length}
    const answer = await patch({...sending, session}, {context, body, offset})
    if ('step' in answer) return answer
    const received = receivedBytes(answer.header('range'))
    if (received !== offset + length) {
      const said =
        received === undefined ? 'without saying how far it is' : `saying that it has ${received} bytes`
      const contradiction = `the registry answered a chunk that ends at ${offset + length} ${said}`
      return refused(upload, {...context, response: answer, contradiction})
    }
    await answer.discard()
    if (offset > 0) host.chunks = 'work'
    offset = received
    session = movedSession(session, answer)
    await upload.journal.note(session)
  }
  return {step: 'commit', session, content: await finalDescriptor(upload, {outgoing})}
}

async function nextChunk(
  {upload, outgoing}: Sending,
  size: number,
): Promise<{readonly body: HttpBody; readonly length: number}> {
  const {content} = upload.blob
  if (!isPending(content)) {
    const length = Math.min(size, content.size - outgoing.position)
    return {body: {stream: outgoing.take(length), length}, length}
  }
  const bytes = await collect(outgoing, size)
  return {body: {bytes}, length: bytes.length}
}

async function patch(
  {upload, outgoing, session}: Sending,
  {context, body, offset}: {readonly context: ExchangeContext} & Patch,
): Promise<HttpResponse | Setback> {
  const start = 'bytes' in body ? outgoing.position - body.bytes.length : outgoing.position
  const answer = await exchange(upload, {
    ...context,
    request: () => patchSession(upload, session, {body, offset}),
  })
  // The source broke while the registry was answering, so the answer covers only a part of the blob.
  if (outgoing.failure !== undefined) throw outgoing.failure.error
  const isTorn = 'step' in answer && answer.status === undefined && isBrokenConnection(answer.error)
  return isTorn ? {...answer, torn: {length: context.body, taken: outgoing.position - start}} : answer
}

/** Handles a success before the whole body was sent, which is not trusted: the registry is asked for its bytes. */
async function tooEarly(
  upload: Upload,
  {session, content, response}: ExchangeContext & {readonly response: HttpResponse},
): Promise<UploadStep> {
  await response.discard()
  const error = new MirrorError(
    'PROTOCOL',
    `${upload.client.registry} answered before it had the whole blob`,
    {
      side: upload.client.side,
    },
  )
  const next =
    session === undefined ? ({step: 'open'} as const) : ({step: 'resume', session, content} as const)
  return {step: 'setback', next, error, why: 'gone'}
}

/**
 * Handles a 2xx answer to the committing PUT.
 * @throws {MirrorError} PROTOCOL if the registry stored other content
 */
export async function committed(
  {client}: Upload,
  step: {readonly answer: HttpResponse; readonly session: UploadSession; readonly content: Descriptor},
): Promise<UploadStep> {
  const {answer, session, content} = step
  await answer.discard()
  const stored = answer.header('docker-content-digest')
  if (stored !== undefined && stored.startsWith(content.digest.slice(0, 7)) && stored !== content.digest) {
    throw new MirrorError('PROTOCOL', `${client.registry} stored ${content.digest} as another digest`, {
      side: client.side,
    })
  }
  // 202 is only a promise, so the registry is asked if the blob is there.
  return answer.status === 202
    ? {step: 'resume', session, content, otherwise: 'complain'}
    : {step: 'done', content}
}

async function finalDescriptor(
  {blob: {content}, onFinal, journal}: Upload,
  {outgoing, bytes}: {readonly outgoing: OutgoingBlob; readonly bytes?: Uint8Array},
): Promise<Descriptor> {
  if (!isPending(content)) return content
  const made =
    outgoing.made() ?? (bytes === undefined ? undefined : {digest: digestOf(bytes), size: bytes.length})
  if (made === undefined) throw new Error('a pending layer was committed before it ended')
  const descriptor = {mediaType: content.mediaType, ...made}
  await journal.learn(made.digest)
  await onFinal(descriptor)
  return descriptor
}

async function collect(outgoing: OutgoingBlob, limit = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of outgoing.take(limit)) pieces.push(piece)
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
}
