import {deleteBlob, getBlob} from './blobs.js'
import {deleteManifest, getManifest, listReferrers, putManifest} from './manifests.js'
import {jsonReply, Refusal} from './refusal.js'
import type {Exchange, ReadableRepository, Registry} from './registry.js'
import type {Reply} from './reply.js'
import {checkName, type RequestKind} from './route.js'
import {listTags} from './tags.js'
import {askUpload, cancelUpload, commitUpload, mountBlob, sendChunk, startUpload} from './uploads.js'

type Handler = (exchange: Exchange, registry: Registry) => Reply | Promise<Reply>
type Reader = (
  exchange: Exchange,
  repository: ReadableRepository,
  registry: Registry,
) => Reply | Promise<Reply>

/**
 * Does what a request asks for, by the distribution specification 1.1.
 * @throws {Refusal} the registry's refusals, and the errors of the registry's content and of the request's body
 */
export async function carryOut(kind: RequestKind, exchange: Exchange, registry: Registry): Promise<Reply> {
  checkName(exchange.route)
  return HANDLERS[kind](exchange, registry)
}

const HANDLERS: Readonly<Record<RequestKind, Handler>> = {
  ping: () => jsonReply({}),
  catalog: (_exchange, registry) => jsonReply({repositories: [...registry.names()]}),
  mount: mountBlob,
  start: startUpload,
  send: sendChunk,
  status: askUpload,
  commit: commitUpload,
  cancel: cancelUpload,
  'blob-head': reading(getBlob),
  'blob-get': reading(getBlob),
  'blob-delete': deleteBlob,
  'manifest-head': reading(getManifest),
  'manifest-get': reading(getManifest),
  'manifest-put': putManifest,
  'manifest-delete': deleteManifest,
  tags: reading(listTags),
  // A client takes 404 for a registry without the API.
  referrers: (exchange, registry) => listReferrers(exchange, found(exchange, registry)),
  unknown: () => {
    throw new Refusal(404, 'UNSUPPORTED', 'no such endpoint')
  },
}

function reading(read: Reader): Handler {
  return (exchange, registry) => {
    const repository = found(exchange, registry)
    if (repository === undefined)
      throw new Refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
    return read(exchange, repository, registry)
  }
}

function found({route}: Exchange, registry: Registry): ReadableRepository | undefined {
  return registry.find(route.repository, route.params.get('ns') ?? undefined)
}
