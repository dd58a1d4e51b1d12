import type {RegistryClient} from '../../client/client.js'
import {hasBlob} from '../../client/head-blob.js'
import {mayMount} from '../../client/host-knowledge.js'
import {sessionJournal} from './session-journal.js'
import {uploadBlob} from './upload-blob.js'
import {cancelUpload, tryMount, type UploadSession} from './upload-session.js'
import {isTransient} from '../../http/transport-error.js'
import {
  afterQuestion,
  cancelled,
  isDamaged,
  isInconclusive,
  isMirrorError,
  isPending,
  type BlobOutcome,
  type BlobSource,
  type Descriptor,
  MirrorError,
  type PutBlobOptions,
} from '../../model/index.js'

/** Puts a blob into a repository in the cheapest way: already present, mounted, or uploaded. */
export async function putBlob(
  client: RegistryClient,
  {repository, blob, ...options}: PutBlobOptions & {readonly repository: string; readonly blob: BlobSource},
): Promise<BlobOutcome> {
  const {content} = blob
  const {signal, onProgress = () => {}, onFinal = async () => {}} = options
  const found = isPending(content)
    ? undefined
    : await withoutUpload(client, {repository, content, ...options})
  if (found !== undefined && 'how' in found) return found
  const journal = sessionJournal(client, {repository, content})
  const upload = {client, repository, blob, signal, onProgress, onFinal, journal, sent: 0}
  try {
    const {content: descriptor, attempts} = await uploadBlob(upload, {session: found?.session})
    if (found?.damaged !== undefined) await checkReplaced(client, {repository, content: descriptor, signal})
    return {how: 'uploaded', descriptor, sent: upload.sent, attempts}
  } catch (error) {
    if (found?.unclear === undefined || !isMirrorError(error) || error.side !== client.side) throw error
    if (error.code === 'CANCELLED' || isTransient(error)) throw error
    throw afterQuestion(error, found.unclear)
  }
}

/** The blob has to be uploaded. */
interface Lacking {
  /** A session that the registry opened when it did not mount. */
  readonly session?: UploadSession
  /** Set if the registry did not say if it has the blob. */
  readonly unclear?: MirrorError
  /** Set if the registry has the blob with wrong bytes. */
  readonly damaged?: MirrorError
}

interface Wanted extends PutBlobOptions {
  readonly repository: string
  readonly content: Descriptor
}

/** Returns present or mounted, else how to upload. */
async function withoutUpload(client: RegistryClient, wanted: Wanted): Promise<BlobOutcome | Lacking> {
  const {repository, content, absent = false, recheck = false, signal} = wanted
  const mount = await mountedBlob(client, wanted)
  if (mount === 'mounted') return {how: 'mounted', descriptor: content}
  if (absent) return {session: mount}
  try {
    // A refused mount does not prove that the blob is absent here.
    const size = recheck ? content.size : undefined
    if (!(await hasBlob(client, {repository, digest: content.digest, size, signal}))) return {session: mount}
  } catch (error) {
    if (isInconclusive(error)) return {session: mount, unclear: error}
    if (isDamaged(error)) return {session: mount, damaged: error}
    if (mount !== undefined) await cancelUpload(client, mount)
    throw error
  }
  if (mount !== undefined) await cancelUpload(client, mount)
  return {how: 'present', descriptor: content}
}

/** Registries keep the bytes that they have under a digest, and still answer an upload with success. */
async function checkReplaced(
  client: RegistryClient,
  {repository, content, signal}: Pick<Wanted, 'repository' | 'content' | 'signal'>,
): Promise<void> {
  const {digest, size} = content
  try {
    await hasBlob(client, {repository, digest, size, signal})
  } catch (error) {
    if (isInconclusive(error)) return
    if (!isDamaged(error)) throw error
    const {code, message, side, advice} = error
    throw new MirrorError(code, `${message}, and the registry kept it when the whole blob was pushed`, {
      side,
      advice,
      cause: error,
    })
  }
}

async function mountedBlob(
  client: RegistryClient,
  {repository, content: {digest}, mountFrom = [], signal}: Wanted,
): Promise<'mounted' | UploadSession | undefined> {
  const from = nearest(repository, mountFrom)
  if (from === undefined || !mayMount(client.host)) return undefined
  try {
    return await tryMount(client, {repository, digest, from, signal})
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    // A mount is only a short cut. A broken link shows, and is retried, in the upload.
    if (isTransient(error)) return undefined
    throw error
  }
}

/**
 * Returns the repository with the longest common path: registries with projects mount only within one (GitLab, Harbor).
 */
function nearest(repository: string, others: readonly string[]): string | undefined {
  const path = repository.split('/')
  const common = (other: string): number => {
    const parts = other.split('/')
    const differs = parts.findIndex((part, index) => part !== path[index])
    return differs < 0 ? parts.length : differs
  }
  const candidates = others.filter((other) => other !== repository)
  return candidates.reduce<string | undefined>(
    (best, other) => (best === undefined || common(other) > common(best) ? other : best),
    undefined,
  )
}
