import {openPart, type BlobPart, type OpenPart} from './blob-part.js'
import {nameOf, type RegistryClient} from './client.js'
import {patienceWith} from './patience.js'
import {DAMAGED} from './side-error.js'
import {isTransient} from '../http/transport-error.js'
import {MirrorError, type Descriptor} from '../model/index.js'

export interface Position {
  /** Bytes of the blob handed to the reader, those left out at the start included. */
  position: number
}

export interface ReadBlobOptions extends Pick<OpenPart, 'place' | 'content' | 'signal'> {
  /** The first byte to read. It moves on with the bytes that are yielded. */
  readonly at: Position
  /** Called with the number of bytes that came over the network. */
  readonly onBytes: (count: number) => void
}

/**
 * Yields a blob of one repository, not verified. Goes on by a Range request, if the registry has them, after a
 * connection that broke.
 * @throws {MirrorError} the errors of `openPart`, DIGEST_MISMATCH for more bytes than the content has
 */
export async function* readBlob(
  client: RegistryClient,
  {place, content, at, signal, onBytes}: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
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
      yield* bytesOf({...part, body}, {client, content, at, onBytes})
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
  {
    client,
    content,
    at,
    onBytes,
  }: Pick<ReadBlobOptions, 'content' | 'at' | 'onBytes'> & {readonly client: RegistryClient},
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
        {side: client.side, advice: DAMAGED},
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
