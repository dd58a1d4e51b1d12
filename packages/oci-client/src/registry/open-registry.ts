import {urlOf, type RegistryClient} from '../client/client.js'
import {deletingTags, type TagDeletion} from './delete-tag.js'
import {endpoints} from '../client/endpoints.js'
import {hasBlob} from '../client/head-blob.js'
import type {HostKnowledge} from '../client/host-knowledge.js'
import {putBlob} from './upload/put-blob.js'
import {digestHeader} from '../client/read-manifest.js'
import {putManifestBytes} from './put-manifest.js'
import {readManifest, resolveManifest} from '../client/read-manifest.js'
import {referrersByTag} from './referrers-tag.js'
import {beginningOf} from '../http/beginning.js'
import {isWebPage, notRegistry} from '../http/not-registry.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {isMirrorError, type CallOptions, type ImageSink, type RequestUsage} from '../model/index.js'
import {openClient} from '../client/open-client.js'
import type {RegistryOptions} from '../client/options.js'

/**
 * A registry as a sink of images. It is safe to call from many transfers at once; dispose of it to close its
 * connections.
 */
export interface Registry extends ImageSink {
  readonly usage: RequestUsage
  /**
   * Proves before any work that the registry answers, that its certificate is trusted and that it takes the credential.
   * @throws {MirrorError} UNREACHABLE, TLS_*, PROXY_FAILED, AUTH_*, REGISTRY_FAILED
   */
  ping(options?: CallOptions): Promise<void>
  /**
   * Deletes a tag, and no content that is still in use.
   * @throws {MirrorError} DENIED if deletion is switched off or the account lacks the right, LIMIT_EXCEEDED, PROTOCOL
   */
  readonly deleteTag: TagDeletion['deleteTag']
  /** Knowledge of the host so far. Plain JSON. */
  readonly knowledge: HostKnowledge
}

/**
 * Sends nothing yet.
 * @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID
 */
export function openRegistry(options: RegistryOptions): Registry {
  const {client, usage, close} = openClient(options)
  const addReferrer = referrersByTag(client)
  const deletion = deletingTags(client)
  return {
    usage,
    knowledge: client.host,
    ping: (call = {}) => ping(client, call),
    resolve: (target, call = {}) => resolveManifest(client, {...call, target}),
    manifest: (target, call = {}) => readManifest(client, {...call, target}),
    hasBlob: (repository, digest, call = {}) =>
      hasBlob(client, {signal: undefined, ...call, repository, digest}),
    putBlob: (repository, blob, call = {}) => putBlob(client, {...call, repository, blob}),
    putManifest: async (target, manifest, call = {}) => {
      const response = await putManifestBytes(client, {...call, target, manifest})
      deletion.forget(target.repository)
      const stored = digestHeader(response)
      if (stored !== undefined) call.onStored?.(stored)
      const {subject} = manifest
      if (subject === undefined || response.header('oci-subject') !== undefined) return
      await addReferrer({...call, repository: target.repository, subject: subject.digest, manifest})
    },
    deleteTag: deletion.deleteTag,
    [Symbol.asyncDispose]: close,
  }
}

async function ping(client: RegistryClient, {signal}: CallOptions): Promise<void> {
  let response: HttpResponse
  try {
    response = await client.sendFirst({
      method: 'GET',
      url: urlOf(client, endpoints.base),
      signal,
      scopes: [],
    })
  } catch (error) {
    // A token server may grant no account the right that this page's challenge names. The first real right decides.
    if (isMirrorError(error) && error.code === 'DENIED') return
    throw error
  }
  const {status} = response
  if (status >= 200 && status < 300) {
    const bytes = await beginningOf(response)
    if (!isWebPage(bytes)) return
    throw notRegistry(response, {bytes, asked: "the base of a registry's API", side: client.side})
  }
  // Some registries have no such page, or refuse it to all accounts, and work all the same.
  if (status === 404 || status === 403) return response.discard()
  throw await responseError(response, {
    side: client.side,
    what: `cannot use the registry ${client.registry}`,
  })
}
