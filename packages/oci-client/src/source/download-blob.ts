import {isPlaceFailure, togetherAs} from './places.js'
import {readBlob, type Position} from '../client/read-blob.js'
import {DAMAGED, onSide} from '../client/side-error.js'
import type {SourceHosts} from './source-hosts.js'
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
  const {hosts, places, content, offset, signal, onBytes} = download
  const at: Position = {position: offset}
  const failures: MirrorError[] = []
  for (const place of places) {
    try {
      yield* readBlob(hosts.at(place.registry).client, {place, content, at, signal, onBytes})
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

async function* told(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes
  } catch (error) {
    throw onSide('source', error, {advice: DAMAGED})
  }
}
