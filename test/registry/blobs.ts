import {randomBytes} from 'node:crypto'
import {defined, isDigest, type Digest} from '@airgap-mirror/oci-client/model'
import type {Exchange} from './exchange.js'
import {knownRepository} from './manifests.js'
import {Refusal} from './refusal.js'
import type {Reply} from './reply.js'
import type {RegistryState} from './state.js'

/** GET and HEAD, with a `Range` of one part, or a redirect to a signed URL. A manifest's digest is 404 here. */
export function getBlob({route, request, record}: Exchange, state: RegistryState): Reply {
  const {digest, size} = knownBlob(route, state)
  if (record.method === 'GET' && state.options.redirectBlobs === true && record.origin === 'main') {
    const signature = randomBytes(12).toString('hex')
    state.signatures.add(signature)
    return {status: 307, headers: {location: `${state.otherOrigin}${route.path}?_sig=${signature}`}}
  }
  const range = rangeOf(request.headers.range, size)
  const bytes = state.storage.read(digest, range)
  if (bytes === undefined && record.method === 'GET') {
    throw new Refusal(500, 'UNKNOWN', 'this registry kept only the size of that blob')
  }
  const isPart = request.headers.range !== undefined
  return {
    status: isPart ? 206 : 200,
    headers: {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      ...defined({'content-range': isPart ? `bytes ${range.start}-${range.end - 1}/${size}` : undefined}),
    },
    body: {size: range.end - range.start, bytes: bytes ?? nothing()},
  }
}

/** DELETE. */
export function deleteBlob({route}: Exchange, state: RegistryState): Reply {
  const {digest} = knownBlob(route, state)
  knownRepository(route.repository, state).blobs.delete(digest)
  return {status: 202}
}

function knownBlob(
  {repository, reference}: {readonly repository: string; readonly reference: string},
  state: RegistryState,
): {readonly digest: Digest; readonly size: number} {
  if (!isDigest(reference)) throw new Refusal(400, 'DIGEST_INVALID', 'invalid digest')
  const size = knownRepository(repository, state).blobs.has(reference)
    ? state.storage.size(reference)
    : undefined
  if (size === undefined) throw new Refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  return {digest: reference, size}
}

/** `bytes=A-B`, `bytes=A-`, `bytes=-N`; the end is exclusive. */
function rangeOf(text: string | undefined, size: number): {readonly start: number; readonly end: number} {
  if (text === undefined) return {start: 0, end: size}
  const {first = '', last = ''} = /^bytes=(?<first>\d*)-(?<last>\d*)$/.exec(text)?.groups ?? {}
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if ((first === '' && last === '') || start >= end) {
    throw new Refusal(416, 'RANGE_INVALID', 'invalid range', {headers: {'content-range': `bytes */${size}`}})
  }
  return {start, end}
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
