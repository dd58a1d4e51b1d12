import {isDigest, type Digest, type DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import {bodyOf, ConnectionGone, type Exchange} from './exchange.js'
import {Refusal} from './refusal.js'
import type {Reply} from './reply.js'
import {makeRepository, repositoryOf, type RegistryState} from './state.js'
import {UploadSession} from './upload-session.js'

/** POST uploads/, with `mount` and `from`, with `digest` and a body, or bare. */
export async function startUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const {route} = exchange
  const mounted = mount(exchange, state)
  if (mounted !== undefined) return mounted
  const wanted = route.params.get('digest-algorithm')
  const single = route.params.get('digest')
  const algorithm: DigestAlgorithm =
    wanted === 'sha512' || single?.startsWith('sha512:') === true ? 'sha512' : 'sha256'
  const session = new UploadSession(route.repository, await state.storage.writer(algorithm))
  state.uploads.set(session.id, session)
  makeRepository(state, route.repository)
  if (single !== null) {
    await receive(exchange, session, state)
    return commit(exchange, session, state)
  }
  const minimum = state.options.chunkMinLength
  const headers = minimum === undefined ? undefined : {'oci-chunk-min-length': String(minimum)}
  return accepted(exchange, session, state, headers)
}

/** PATCH. */
export function sendChunk(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inSession(exchange, state, async (session) => {
    const {request} = exchange
    const contentRange = request.headers['content-range']
    const chunks = state.options.chunks ?? 'on'
    const isChunk = contentRange !== undefined || session.patches > 0
    if (isChunk && typeof chunks === 'number')
      throw new Refusal(chunks, 'UNSUPPORTED', 'chunks are not supported')
    if (session.shortChunk) {
      state.violations.push(`a chunk below the minimum was not the last of ${session.repository}`)
      throw new Refusal(400, 'SIZE_INVALID', 'a chunk before this one was too short')
    }
    if (chunks === 'ecr' && session.patches > 0) {
      for await (const bytes of bodyOf(exchange, state)) session.received += bytes.length
      return {...accepted(exchange, session, state), status: 201}
    }
    checkRange(exchange, session, state)
    const before = session.writer.size
    session.patches += 1
    await receive(exchange, session, state)
    session.shortChunk =
      contentRange !== undefined && session.writer.size - before < (state.options.chunkMinLength ?? 0)
    return {...accepted(exchange, session, state), status: chunks === 'ecr' ? 201 : 202}
  })
}

/** PUT with `digest`, and perhaps the last or only bytes. */
export function commitUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inSession(exchange, state, async (session) => {
    checkRange(exchange, session, state)
    await receive(exchange, session, state)
    return commit(exchange, session, state)
  })
}

/** GET. */
export function uploadStatus(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inSession(exchange, state, (session) =>
    Promise.resolve({...accepted(exchange, session, state), status: 204}),
  )
}

/** DELETE. */
export function cancelUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inSession(exchange, state, async (session) => {
    await dropSession(session, state)
    return {status: 204}
  })
}

export async function dropSession(session: UploadSession, state: RegistryState): Promise<void> {
  state.uploads.delete(session.id)
  await session.writer.discard()
}

/** Done at once (201), refused for a stranger's blob by going on as an upload would (202, the spec's fallback). */
function mount({route, access}: Exchange, state: RegistryState): Reply | undefined {
  const digest = route.params.get('mount')
  const from = route.params.get('from')
  const mode = state.options.mount ?? 'pull-right'
  if (!isDigest(digest) || mode === 'off') return undefined
  const sources = from === null ? [...state.repositories.keys()] : [from]
  const found = sources.some(
    (source) =>
      (mode === 'on' || access.can('pull', source)) &&
      repositoryOf(state, source)?.blobs.has(digest) === true,
  )
  if (!found) return undefined
  makeRepository(state, route.repository).blobs.add(digest)
  return created(route.repository, digest)
}

/** Finds the session, checks its `_state` byte for byte, and keeps other requests away from it meanwhile. */
async function inSession(
  {route}: Exchange,
  state: RegistryState,
  work: (session: UploadSession) => Promise<Reply>,
): Promise<Reply> {
  const session = state.uploads.get(route.reference)
  if (session?.repository !== route.repository) throw unknownUpload()
  return session.exclusively(async () => {
    if (!state.uploads.has(session.id)) throw unknownUpload()
    const given = /(?:^|&)_state=(?<value>[^&]*)/.exec(route.query)?.groups?.['value']
    const sizeThen = given === undefined ? undefined : session.sizeAt(given)
    if (sizeThen === undefined) {
      throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'the query of the Location did not come back as it was')
    }
    if (state.options.uploads === 'forgetful' && sizeThen !== session.writer.size) {
      await dropSession(session, state)
      throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'blob upload invalid')
    }
    return work(session)
  })
}

function unknownUpload(): Refusal {
  return new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
}

async function receive(exchange: Exchange, session: UploadSession, state: RegistryState): Promise<void> {
  try {
    for await (const bytes of bodyOf(exchange, state)) {
      session.received += bytes.length
      await session.writer.write(bytes)
    }
  } catch (thrown) {
    if (thrown instanceof ConnectionGone && state.options.uploads === 'deleting')
      await dropSession(session, state)
    throw thrown
  }
}

/** Content-Range must start where the session ends, and be as long as the body; distribution 2.8 does not look. */
function checkRange(exchange: Exchange, session: UploadSession, state: RegistryState): void {
  const {headers} = exchange.request
  const text = headers['content-range']
  if (text === undefined || state.options.uploads === 'forgetful') return
  const match = /^(?<start>\d+)-(?<end>\d+)$/.exec(text)
  if (match === null) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not START-END')
  const start = Number(match.groups?.['start'])
  const end = Number(match.groups?.['end'])
  const length = headers['content-length']
  if (start !== session.writer.size || (length !== undefined && Number(length) !== end - start + 1)) {
    throw new Refusal(416, start === session.writer.size ? 'SIZE_INVALID' : 'RANGE_INVALID', 'out of order', {
      headers: accepted(exchange, session, state).headers,
    })
  }
}

async function commit(exchange: Exchange, session: UploadSession, state: RegistryState): Promise<Reply> {
  const digest = exchange.route.params.get('digest')
  if (!isDigest(digest)) throw new Refusal(400, 'DIGEST_INVALID', 'no valid digest')
  const actual = await session.writer.digest(digest.startsWith('sha512:') ? 'sha512' : 'sha256')
  if (actual !== digest) {
    await dropSession(session, state)
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const {size} = session.writer
  state.uploads.delete(session.id)
  await session.writer.commit(digest)
  makeRepository(state, session.repository).blobs.add(digest)
  state.log.commits.push({repository: session.repository, digest, size})
  state.log.blobBytes.set(digest, (state.log.blobBytes.get(digest) ?? 0) + session.received)
  return created(session.repository, digest)
}

function created(repository: string, digest: Digest): Reply {
  return {
    status: 201,
    headers: {location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest},
  }
}

/** 202 with the way on. distribution says `0-0` of an empty session, and so do we. */
function accepted(
  {request}: Exchange,
  session: UploadSession,
  state: RegistryState,
  headers: Readonly<Record<string, string>> = {},
): {readonly status: number; readonly headers: Readonly<Record<string, string>>} {
  const path = `/v2/${session.repository}/blobs/uploads/${session.id}?_state=${session.issueState({fragile: state.options.exactQuery !== false})}`
  const form = state.options.locations ?? 'absolute'
  const own = `${state.options.tls === undefined ? 'http' : 'https'}://${request.headers.host}`
  return {
    status: 202,
    headers: {
      location: form === 'relative' ? path : `${form === 'absolute' ? own : state.otherOrigin}${path}`,
      range: `0-${Math.max(0, session.writer.size - 1)}`,
      'docker-upload-uuid': session.id,
      ...headers,
    },
  }
}
