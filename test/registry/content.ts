import {randomBytes} from 'node:crypto'
import {
  carryOut,
  readManifest,
  Refusal,
  withHeaders,
  type Reply,
  type RequestKind,
} from '@airgap-mirror/cli/server'
import {isDigest, type Digest} from '@airgap-mirror/oci-client/model'
import {bodyOf, type Exchange} from './exchange.js'
import type {RegistryState} from './state.js'

export interface IncomingManifest {
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** Carries a request out as the protocol says. */
export function plainly(kind: RequestKind) {
  return (exchange: Exchange, state: RegistryState): Promise<Reply> => {
    const {route, request} = exchange
    return carryOut(kind, {route, headers: request.headers, body: bodyOf(exchange, state)}, state)
  }
}

/** GET of a blob, or a redirect to a signed URL. */
export async function getBlob(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const reply = await plainly('blob-get')(exchange, state)
  const {reference} = exchange.route
  if (isDigest(reference) && state.storage.read(reference, {start: 0, end: 0}) === undefined) {
    throw new Refusal(500, 'UNKNOWN', 'this registry kept only the size of that blob')
  }
  if (state.options.redirectBlobs !== true || exchange.record.origin !== 'main') return reply
  const signature = randomBytes(12).toString('hex')
  state.signatures.add(signature)
  return {status: 307, headers: {location: `${state.otherOrigin}${exchange.route.path}?_sig=${signature}`}}
}

/** PUT of a manifest, of the types that the options allow. */
export async function putManifest(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const {manifestTypes, referrers} = state.options
  const isDocker = exchange.request.headers['content-type']?.startsWith('application/vnd.docker.') === true
  if (manifestTypes === 'oci' && isDocker) {
    throw new Refusal(415, 'MANIFEST_INVALID', 'Docker schema 2 is not accepted')
  }
  const reply = await plainly('manifest-put')(exchange, state)
  return referrers === false ? withHeaders(reply, {'oci-subject': undefined}) : reply
}

/** DELETE of a manifest or a tag, where the options have it. */
export function deleteManifest(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const {deletion = 'on'} = state.options
  if (deletion === 'off') throw new Refusal(405, 'UNSUPPORTED', 'The operation is unsupported.')
  if (deletion === 'by-digest' && !isDigest(exchange.route.reference)) {
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  return plainly('manifest-delete')(exchange, state)
}

/** GET of referrers; 404 if the API is switched off. */
export function listReferrers(exchange: Exchange, state: RegistryState): Promise<Reply> {
  if (state.options.referrers === false) throw new Refusal(404, 'UNSUPPORTED', 'no referrers API')
  return plainly('referrers')(exchange, state)
}

/** Keeps a manifest that comes without a request. @throws {Refusal} as for one that comes with a request */
export function storeManifest(state: RegistryState, {repository, ...incoming}: IncomingManifest): Digest {
  const manifest = readManifest(incoming)
  state.open(repository).putManifest(manifest)
  return manifest.digest
}
