import {defined, isDigest, type Digest} from '@airgap-mirror/oci-client/model'
import {parseRange} from './range.js'
import {Refusal} from './refusal.js'
import type {Exchange, ReadableRepository, Registry} from './registry.js'
import type {Reply} from './reply.js'

/** GET and HEAD, whole or with a `Range` of one part. */
export async function getBlob({route, headers}: Exchange, repository: ReadableRepository): Promise<Reply> {
  const digest = digestIn(route.reference)
  const blob = await repository.blob(digest)
  if (blob === undefined) throw unknownBlob()
  const {size} = blob
  const part = parseRange(headers.range, size)
  if (part === 'unsatisfiable') {
    throw new Refusal(416, 'RANGE_INVALID', 'the range begins behind the end', {
      headers: {'content-range': `bytes */${size}`},
    })
  }
  const range = part ?? {start: 0, end: size}
  return {
    status: part === undefined ? 200 : 206,
    headers: {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
      ...defined({
        'content-range': part === undefined ? undefined : `bytes ${part.start}-${part.end - 1}/${size}`,
      }),
    },
    body: {size: range.end - range.start, read: (options) => blob.read(range, options)},
  }
}

/** DELETE. */
export async function deleteBlob({route}: Exchange, registry: Registry): Promise<Reply> {
  if (!(await registry.open(route.repository).deleteBlob(digestIn(route.reference)))) throw unknownBlob()
  return {status: 202}
}

/** @throws {Refusal} DIGEST_INVALID */
export function digestIn(reference: string): Digest {
  if (!isDigest(reference)) throw new Refusal(400, 'DIGEST_INVALID', 'invalid digest')
  return reference
}

function unknownBlob(): Refusal {
  return new Refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
}
