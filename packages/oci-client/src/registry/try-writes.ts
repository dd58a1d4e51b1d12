import {urlOf, type RegistryClient} from '../client/client.js'
import {
  digestOf,
  isMirrorError,
  mediaTypes,
  MirrorError,
  type BlobOutcome,
  type BlobSource,
  type CallOptions,
  type Descriptor,
  type Digest,
} from '../model/index.js'
import type {Ability} from './upload/probe-upload.js'
import {putBlob} from './upload/put-blob.js'

/** The result of a trial that writes. */
export interface WriteTrial {
  readonly ability: Ability
  /** Content that could not be deleted again. */
  readonly left: readonly string[]
}

type Asked = CallOptions & {readonly repository: string}

/** Content of a trial in the registry. */
interface Written {
  readonly repository: string
  readonly path: string
  /** For the person who has to delete it if the trial cannot. */
  readonly what: string
}

const TRIAL = Buffer.from('{"mirror doctor":"may be deleted"}')
/** The longest time to delete something, in milliseconds. It is not the caller's signal: a trial that is cancelled cleans up. */
const DELETE_WAIT = 30_000

/** Uploads a blob, and asks for it in a second repository. Both are deleted. */
export async function tryMount(client: RegistryClient, {repository, signal}: Asked): Promise<WriteTrial> {
  const content = {mediaType: 'application/octet-stream', digest: digestOf(TRIAL), size: TRIAL.length}
  const second = `${repository}/mounted`
  return cleanedUp(client, async (wrote) => {
    const put = async (place: string, mountFrom: readonly string[]): Promise<BlobOutcome> => {
      const outcome = await putBlob(client, {repository: place, blob: blobOf(content), mountFrom, signal})
      const path = `/v2/${place}/blobs/${content.digest}`
      wrote({repository: place, path, what: `a blob of ${content.size} bytes in ${place}`})
      return outcome
    }
    await put(repository, [])
    const {how} = await put(second, [repository])
    return how === 'mounted' ? 'yes' : 'no'
  })
}

/** Puts an index by its digest whose only platform is nowhere. */
export async function trySparseIndex(
  client: RegistryClient,
  {repository, signal}: Asked,
): Promise<WriteTrial> {
  const child = {mediaType: mediaTypes.ociManifest, digest: digestOf(TRIAL), size: TRIAL.length}
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{...child, platform: {os: 'linux', architecture: 'amd64'}}],
  }
  const bytes = Buffer.from(JSON.stringify(index))
  const path = `/v2/${repository}/manifests/${digestOf(bytes)}`
  return cleanedUp(client, async (wrote) => {
    const response = await client.sendOnce({
      method: 'PUT',
      url: urlOf(client, path),
      headers: {'content-type': mediaTypes.ociIndex, 'content-length': String(bytes.length)},
      body: {bytes},
      signal,
      scopes: [`repository:${repository}:pull,push`],
    })
    await response.discard()
    if (response.status >= 300) return isRefusal(response.status) ? 'no' : 'unknown'
    wrote({repository, path, what: `an index of ${bytes.length} bytes in ${repository}`})
    return 'yes'
  })
}

/** Deletes what a trial wrote, also if the trial fails half-way. The error then names what could not be deleted. */
async function cleanedUp(
  client: RegistryClient,
  work: (wrote: (written: Written) => void) => Promise<Ability>,
): Promise<WriteTrial> {
  const written: Written[] = []
  const left = async (): Promise<readonly string[]> => {
    const results: string[] = []
    for (const each of written) if (!(await isDeleted(client, each))) results.push(each.what)
    return results
  }
  let ability: Ability
  try {
    ability = await work((each) => void written.push(each))
  } catch (error) {
    const rest = await left()
    if (rest.length === 0 || !isMirrorError(error)) throw error
    const {code, message, side, advice, hint, cause} = error
    const text = `${message}; not deleted: ${rest.join(', ')}`
    throw new MirrorError(code, text, {side, advice, hint, cause})
  }
  return {ability, left: await left()}
}

function isRefusal(status: number): boolean {
  return status === 400 || status === 404 || status === 422
}

/** Returns false if the registry does not say that the content is gone. */
async function isDeleted(client: RegistryClient, {repository, path}: Written): Promise<boolean> {
  try {
    const response = await client.sendOnce({
      method: 'DELETE',
      url: urlOf(client, path),
      headers: {'content-length': '0'},
      signal: AbortSignal.timeout(DELETE_WAIT),
      scopes: [`repository:${repository}:pull,push,delete`],
    })
    await response.discard()
    return response.status < 300 || response.status === 404
  } catch (error) {
    if (isMirrorError(error)) return false
    throw error
  }
}

function blobOf(content: Descriptor & {readonly digest: Digest}): BlobSource {
  return {
    content,
    async *open({offset = 0} = {}) {
      yield TRIAL.subarray(offset)
    },
  }
}
