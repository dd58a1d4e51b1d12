import {algorithmOf, isDigest, type Digest, type DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import {Refusal} from './refusal.js'
import type {Exchange, Registry} from './registry.js'
import type {Reply} from './reply.js'
import type {Target} from './route.js'
import {UploadSession} from './upload-session.js'

type Sessions<Session extends UploadSession> = Map<string, Session>

/** POST with `mount` and `from`: done at once (201), or an upload begins (202), which the specification allows. */
export async function mountBlob(exchange: Exchange, registry: Registry): Promise<Reply> {
  const {params, repository} = exchange.route
  const digest = params.get('mount')
  if (isDigest(digest) && (await registry.open(repository).mount(digest, params.get('from') ?? undefined)))
    return created(repository, digest)
  return startUpload(exchange, registry)
}

/** POST, bare or with `digest` and the whole body. */
export async function startUpload(exchange: Exchange, registry: Registry): Promise<Reply> {
  const {route} = exchange
  const writer = await registry.open(route.repository).receive(algorithmFor(route))
  return beginSession(exchange, new UploadSession(route.repository, writer), registry.uploads)
}

/** The algorithm that a POST announces. */
export function algorithmFor({params}: Target): DigestAlgorithm {
  const announced = params.get('digest-algorithm') ?? params.get('digest')?.split(':')[0]
  return announced === 'sha512' ? 'sha512' : 'sha256'
}

/** Answers a POST with a new session, or commits at once if the POST has a digest. */
export async function beginSession<Session extends UploadSession>(
  exchange: Exchange,
  session: Session,
  sessions: Sessions<Session>,
): Promise<Reply> {
  sessions.set(session.id, session)
  if (!exchange.route.params.has('digest')) return accepted(exchange, session)
  return session.exclusively(() => commit(exchange, session, sessions))
}

/** PATCH. */
export function sendChunk(exchange: Exchange, {uploads}: Pick<Registry, 'uploads'>): Promise<Reply> {
  return inSession(exchange, uploads, (session) => takeChunk(exchange, session, uploads))
}

/** PUT with `digest`, and perhaps the last or only bytes. */
export function commitUpload(exchange: Exchange, {uploads}: Pick<Registry, 'uploads'>): Promise<Reply> {
  return inSession(exchange, uploads, (session) => commit(exchange, session, uploads))
}

/** GET. */
export function askUpload(exchange: Exchange, {uploads}: Pick<Registry, 'uploads'>): Promise<Reply> {
  return inSession(exchange, uploads, async (session) => uploadStatus(exchange, session))
}

/** The progress of a session. */
export function uploadStatus(exchange: Exchange, session: UploadSession): Reply {
  return {...accepted(exchange, session), status: 204}
}

/** DELETE. */
export function cancelUpload(exchange: Exchange, {uploads}: Pick<Registry, 'uploads'>): Promise<Reply> {
  return inSession(exchange, uploads, async (session) => {
    await dropSession(session, uploads)
    return {status: 204}
  })
}

/** Finds the session, and keeps other requests away from it meanwhile. */
export async function inSession<Session extends UploadSession>(
  {route}: Pick<Exchange, 'route'>,
  sessions: Sessions<Session>,
  work: (session: Session) => Promise<Reply>,
): Promise<Reply> {
  const session = sessions.get(route.reference)
  if (session?.repository !== route.repository) throw unknownUpload()
  return session.exclusively(() => {
    if (!sessions.has(session.id)) throw unknownUpload()
    return work(session)
  })
}

/** Appends a body to a session. */
export async function takeChunk<Session extends UploadSession>(
  exchange: Exchange,
  session: Session,
  sessions: Sessions<Session>,
): Promise<Reply> {
  checkRange(exchange, session)
  await receive(exchange, session, sessions)
  return accepted(exchange, session)
}

/** Appends a body, and makes the session a blob if its digest is right. */
export async function commit<Session extends UploadSession>(
  exchange: Exchange,
  session: Session,
  sessions: Sessions<Session>,
): Promise<Reply> {
  const digest = exchange.route.params.get('digest')
  if (!isDigest(digest)) throw new Refusal(400, 'DIGEST_INVALID', 'no valid digest')
  checkRange(exchange, session)
  await receive(exchange, session, sessions)
  if ((await session.writer.digest(algorithmOf(digest))) !== digest) {
    await dropSession(session, sessions)
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  try {
    await session.writer.commit(digest)
  } catch (thrown) {
    await dropSession(session, sessions)
    throw thrown
  }
  sessions.delete(session.id)
  return created(session.repository, digest)
}

/** Forgets a session and its bytes. */
export async function dropSession<Session extends UploadSession>(
  session: Session,
  sessions: Sessions<Session>,
): Promise<void> {
  sessions.delete(session.id)
  await session.writer.discard()
}

export function created(repository: string, digest: Digest): Reply {
  return {
    status: 201,
    headers: {location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest},
  }
}

/** 202 with the way on. distribution says `0-0` of an empty session, and so do we. */
function accepted({headers}: Exchange, session: UploadSession): Reply & {readonly status: number} {
  return {status: 202, headers: progress(headers, session)}
}

function progress(headers: Exchange['headers'], session: UploadSession): Record<string, string> {
  return {
    location: session.location(headers),
    range: `0-${Math.max(0, session.writer.size - 1)}`,
    'docker-upload-uuid': session.id,
  }
}

/** A client that goes away leaves what came: it may ask for the status, and go on. */
async function receive<Session extends UploadSession>(
  {body}: Exchange,
  session: Session,
  sessions: Sessions<Session>,
): Promise<void> {
  for await (const bytes of body) {
    try {
      await session.writer.write(bytes)
    } catch (thrown) {
      await dropSession(session, sessions)
      throw thrown
    }
  }
}

/** Content-Range must start where the session ends, and be as long as the body; distribution 2.8 does not look. */
function checkRange({headers}: Exchange, session: UploadSession): void {
  const text = headers['content-range']
  if (text === undefined) return
  const match = /^(?<start>\d{1,15})-(?<end>\d{1,15})$/.exec(text)
  if (match === null) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not START-END')
  const start = Number(match.groups?.['start'])
  const end = Number(match.groups?.['end'])
  const length = headers['content-length']
  const isNext = start === session.writer.size
  if (!isNext || (length !== undefined && Number(length) !== end - start + 1)) {
    throw new Refusal(416, isNext ? 'SIZE_INVALID' : 'RANGE_INVALID', 'out of order', {
      headers: progress(headers, session),
    })
  }
}

function unknownUpload(): Refusal {
  return new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
}
