import type {Bytes} from '@airgap-mirror/oci-client/model'

export interface DecodeOptions {
  /** The name of the decoded source, for messages. */
  readonly name: string
  readonly signal?: AbortSignal
  /** Returns true if the caller is done with a chunk before it asks for the next, so its memory may be used again. */
  readonly reuseOutput?: () => boolean
}

/**
 * Decodes one compressed stream from its start, all of its members or frames, outside the event loop. Memory is bounded
 * at any ratio. It ends without an error only if the compressed bytes are complete and their checksums right.
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNSUPPORTED, CANCELLED, and the errors of `compressed`
 */
export type SequentialDecoder = (compressed: Bytes, options: DecodeOptions) => Bytes
