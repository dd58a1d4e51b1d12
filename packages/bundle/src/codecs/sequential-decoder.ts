import type {Bytes} from '@airgap-mirror/oci-client/model'

export interface DecodeOptions {
  /** What is decoded, for messages. */
  readonly name: string
  readonly signal?: AbortSignal | undefined
  /** The caller is done with a chunk before it asks for the next: its memory may be used again. */
  readonly reuseOutput?: boolean
}

/**
 * Decodes one compressed stream from its start, all of its members or frames, outside the event loop. Memory is bounded
 * whatever the ratio. The end is reached only where the compressed bytes are complete and their checksums right.
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNSUPPORTED, CANCELLED, and those of `compressed`
 */
export type SequentialDecoder = (compressed: Bytes, options: DecodeOptions) => Bytes
