import {
  algorithmFor,
  beginSession,
  commit,
  created,
  dropSession,
  inSession,
  Refusal,
  takeChunk,
  uploadStatus as statusReply,
  withHeaders,
  type Exchange as Asked,
  type Reply,
} from '@airgap-mirror/cli/server'
import {isDigest} from '@airgap-mirror/oci-client/model'
import {bodyOf, ConnectionGone, type Exchange} from './exchange.js'
import {ScriptedSession} from './scripted-session.js'
import type {RegistryState} from './state.js'

/** POST, with mounts as the options allow them. */
export async function startUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const {route} = exchange
  const mounted = mount(exchange, state)
  if (mounted !== undefined) return mounted
  const writer = await state.open(route.repository).receive(algorithmFor(route))
  const session = new ScriptedSession(route.repository, writer, scriptOf(state))
  const reply = await beginSession(within(exchange, session, state), session, state.uploads)
  const minimum = state.options.chunkMinLength
  return reply.status !== 202 || minimum === undefined
    ? logged(reply, session, state)
    : withHeaders(reply, {'oci-chunk-min-length': String(minimum)})
}

/** PATCH, with chunks as the options take them. */
export function sendChunk(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inScript(exchange, state, async (session) => {
    const contentRange = exchange.request.headers['content-range']
    const chunks = state.options.chunks ?? 'on'
    const isChunk = contentRange !== undefined || session.patches > 0
    if (isChunk && typeof chunks === 'number')
      throw new Refusal(chunks, 'UNSUPPORTED', 'chunks are not supported')
    if (session.shortChunk) {
      state.violations.push(`a chunk below the minimum was not the last of ${session.repository}`)
      throw new Refusal(400, 'SIZE_INVALID', 'a chunk before this one was too short')
    }
    const asked = within(exchange, session, state)
    if (chunks === 'ecr' && session.patches > 0) {
      for await (const bytes of bodyOf(exchange, state)) session.received += bytes.length
      return {...statusReply(asked, session), status: 201}
    }
    const before = session.writer.size
    const reply = await takeChunk(asked, session, state.uploads)
    session.patches += 1
    session.shortChunk =
      contentRange !== undefined && session.writer.size - before < (state.options.chunkMinLength ?? 0)
    return chunks === 'ecr' ? {...reply, status: 201} : reply
  })
}

/** PUT. */
export function commitUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inScript(exchange, state, async (session) =>
    logged(await commit(within(exchange, session, state), session, state.uploads), session, state),
  )
}

/** GET. */
export function uploadStatus(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inScript(exchange, state, async (session) => statusReply(within(exchange, session, state), session))
}

/** DELETE. */
export function cancelUpload(exchange: Exchange, state: RegistryState): Promise<Reply> {
  return inScript(exchange, state, async (session) => {
    await dropSession(session, state.uploads)
    return {status: 204}
  })
}

/** Done at once (201), refused for a stranger's blob by going on as an upload would (202, the spec's fallback). */
function mount({route, access}: Exchange, state: RegistryState): Reply | undefined {
  const digest = route.params.get('mount')
  const from = route.params.get('from')
  const mode = state.options.mount ?? 'pull-right'
  if (!isDigest(digest) || mode === 'off') return undefined
  const sources = from === null ? [...state.repositories.keys()] : [from]
  const isThere = sources.some(
    (source) =>
      (mode === 'on' || access.can('pull', source)) &&
      state.repositories.get(source)?.blobs.has(digest) === true,
  )
  if (!isThere) return undefined
  state.open(route.repository).blobs.add(digest)
  return created(route.repository, digest)
}

/** Checks the `_state` of the session byte for byte before anything else. */
function inScript(
  exchange: Exchange,
  state: RegistryState,
  work: (session: ScriptedSession) => Promise<Reply>,
): Promise<Reply> {
  return inSession(exchange, state.uploads, async (session) => {
    const given = /(?:^|&)_state=(?<value>[^&]*)/.exec(exchange.route.query)?.groups?.['value']
    const sizeThen = given === undefined ? undefined : session.sizeAt(given)
    if (sizeThen === undefined) {
      throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'the query of the Location did not come back as it was')
    }
    if (state.options.uploads === 'forgetful' && sizeThen !== session.writer.size) {
      await dropSession(session, state.uploads)
      throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'blob upload invalid')
    }
    return work(session)
  })
}

/** The request as the protocol sees it, while a session works on it. */
function within(exchange: Exchange, session: ScriptedSession, state: RegistryState): Asked {
  const {route, request} = exchange
  const {'content-range': range, ...headers} = request.headers
  const isForgetful = state.options.uploads === 'forgetful'
  return {
    route,
    headers: range === undefined || isForgetful ? headers : {...headers, 'content-range': range},
    body: bodyFor(exchange, session, state),
  }
}

async function* bodyFor(
  exchange: Exchange,
  session: ScriptedSession,
  state: RegistryState,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of bodyOf(exchange, state)) {
      session.received += bytes.length
      yield bytes
    }
  } catch (thrown) {
    if (thrown instanceof ConnectionGone && state.options.uploads === 'deleting')
      await dropSession(session, state.uploads)
    throw thrown
  }
}

function scriptOf(state: RegistryState): ConstructorParameters<typeof ScriptedSession>[2] {
  const {locations = 'absolute', tls, exactQuery} = state.options
  const scheme = tls === undefined ? 'http' : 'https'
  return {
    fragile: exactQuery !== false,
    originFor: ({host}) => {
      if (locations === 'relative') return ''
      return locations === 'absolute' ? `${scheme}://${host}` : state.otherOrigin
    },
  }
}

/** Records a blob that was uploaded to the end. */
function logged(reply: Reply, session: ScriptedSession, {log}: RegistryState): Reply {
  const digest = reply.headers?.['docker-content-digest']
  if (reply.status !== 201 || !isDigest(digest)) return reply
  log.commits.push({repository: session.repository, digest, size: session.writer.size})
  log.blobBytes.set(digest, (log.blobBytes.get(digest) ?? 0) + session.received)
  return reply
}
