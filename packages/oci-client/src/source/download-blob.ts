import {openPart, type BlobPart} from './blob-part.js'
import {isPlaceFailure, togetherAs} from './places.js'
import {patienceWith} from '../client/patience.js'
import {DAMAGED, onSide} from '../client/side-error.js'
import type {SourceHosts} from './source-hosts.js'
import {nameOf, type RegistryClient} from '../client/client.js'
import {isTransient} from '../http/transport-error.js'
import {MirrorError, verified, type Bytes, type Descriptor, type Place} from '../model/index.js'

export interface Download {
  readonly hosts: SourceHosts
  /** Tried in turn. Bytes from one place are not requested from the next. */
  readonly places: readonly Place[]
  readonly content: Descriptor
  /** Bytes to leave out at the start. */
  readonly offset: number
  readonly signal: AbortSignal | undefined
  /** Called with the number of bytes that came over the network. */
  readonly onBytes: (count: number) => void
}

/**
 * Yields the content from `offset` on, verified if that is 0. Holds only the current chunk, and does not read ahead.
 * A broken download is resumed by a Range request if the registry has them.
 * @throws {MirrorError} BLOB_MISSING, DIGEST_MISMATCH, PROTOCOL, CANCELLED, and the errors of the registry
 */
export function downloadBlob(download: Download): Bytes {
  return download.offset > 0
    ? downloaded(download)
    : told(verified(downloaded(download), download.content, {what: `blob ${download.content.digest}`}))
}

async function* downloaded(download: Download): AsyncGenerator<Uint8Array, void, undefined> {
  const {places, content, offset} = download
  const at: Position = {position: offset}
  const failures: MirrorError[] = []
  for (const place of places) {
    try {
      yield* fromPlace(place, download, at)
      return
    } catch (error) {
      // Another place cannot help once wrong bytes have gone to the reader.
      const mended = isPlaceFailure(error) && (error.code !== 'DIGEST_MISMATCH' || at.position === offset)
      if (!mended) throw error
      failures.push(error)
    }
  }
  const telling = failures.filter(({code}) => code !== 'BLOB_MISSING')
  if (places.length > 0) throw togetherAs(telling.length > 0 ? telling : failures.slice(-1))
  throw new MirrorError('BLOB_MISSING', `no image of the source names the blob ${content.digest}`, {
    side: 'source',
  })
}

interface Position {
  /** Bytes of the blob handed to the reader, those left out at the start included. */
  position: number
}

async function* fromPlace(
  place: Place,
  download: Download,
  at: Position,
): AsyncGenerator<Uint8Array, void, undefined> {
  const {hosts, content, signal, onBytes} = download
  const {client} = hosts.at(place.registry)
  const patience = patienceWith(client, nameOf(client, {...place, digest: content.digest}))
  let ranges = true
  while (at.position < content.size) {
    const part = await openPart(client, {place, content, position: at.position, ranges, signal})
    if (part === 'no ranges') {
      ranges = false
      continue
    }
    let broken: unknown
    try {
      const body = signal === undefined ? part.body : client.paced(part.body, signal)
      yield* bytesOf({...part, body}, {content, at, onBytes})
    } catch (error) {
      if (!isTransient(error)) throw error
      broken = error
    }
    if (at.position >= content.size) return
    await patience.wait(at.position, {error: broken ?? endedEarly(client, {content, at}), signal})
  }
}

async function* bytesOf(
  {body, skip}: BlobPart,
  {content, at, onBytes}: Pick<Download, 'content' | 'onBytes'> & {readonly at: Position},
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = skip
  for await (const chunk of body) {
    onBytes(chunk.length)
    const fresh = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - fresh.length
    if (at.position + fresh.length > content.size) {
      throw new MirrorError(
        'DIGEST_MISMATCH',
        `blob ${content.digest} is longer than the ${content.size} bytes it should have`,
        {side: 'source', advice: DAMAGED},
      )
    }
    if (fresh.length === 0) continue
    at.position += fresh.length
    yield fresh
  }
}

/** A proxy may end an answer of unknown length early, as if it were complete. */
function endedEarly(
  client: RegistryClient,
  {content, at}: {readonly content: Descriptor; readonly at: Position},
): MirrorError {
  return new MirrorError(
    'UNREACHABLE',
    `${client.registry} ended the blob ${content.digest} after ${at.position} of ${content.size} bytes`,
    {side: client.side},
  )
}

async function* told(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes
  } catch (error) {
    throw onSide('source', error, {advice: DAMAGED})
  }
}
