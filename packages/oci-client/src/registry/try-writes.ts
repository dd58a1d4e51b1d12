import {urlOf, type RegistryClient} from '../client/client.js'
import {
  digestOf,
  mediaTypes,
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

const TRIAL = Buffer.from('{"mirror doctor":"may be deleted"}')

/** Uploads a blob, and asks for it in a second repository. Both are deleted. */
export async function tryMount(client: RegistryClient, {repository, signal}: Asked): Promise<WriteTrial> {
  const content = {mediaType: 'application/octet-stream', digest: digestOf(TRIAL), size: TRIAL.length}
  const second = `${repository}/mounted`
  await putBlob(client, {repository, blob: blobOf(content), signal})
  const {how} = await putBlob(client, {
    repository: second,
    blob: blobOf(content),
    mountFrom: [repository],
    signal,
  })
  const left: string[] = []
  for (const place of [repository, second]) {
    const isGone = await deleted(client, `/v2/${place}/blobs/${content.digest}`, {repository: place, signal})
    if (!isGone) left.push(`a blob of ${content.size} bytes in ${place}`)
  }
  return {ability: how === 'mounted' ? 'yes' : 'no', left}
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
  const response = await client.sendOnce({
    method: 'PUT',
    url: urlOf(client, path),
    headers: {'content-type': mediaTypes.ociIndex, 'content-length': String(bytes.length)},
    body: {bytes},
    signal,
    scopes: [`repository:${repository}:pull,push`],
  })
  await response.discard()
  if (response.status >= 300) return {ability: isRefusal(response.status) ? 'no' : 'unknown', left: []}
  const isGone = await deleted(client, path, {repository, signal})
  return {ability: 'yes', left: isGone ? [] : [`an index of ${bytes.length} bytes in ${repository}`]}
}

function isRefusal(status: number): boolean {
  return status === 400 || status === 404 || status === 422
}

async function deleted(client: RegistryClient, path: string, {repository, signal}: Asked): Promise<boolean> {
  const response = await client.sendOnce({
    method: 'DELETE',
    url: urlOf(client, path),
    headers: {'content-length': '0'},
    signal,
    scopes: [`repository:${repository}:pull,push,delete`],
  })
  await response.discard()
  return response.status < 300 || response.status === 404
}

function blobOf(content: Descriptor & {readonly digest: Digest}): BlobSource {
  return {
    content,
    async *open({offset = 0} = {}) {
      yield TRIAL.subarray(offset)
    },
  }
}
