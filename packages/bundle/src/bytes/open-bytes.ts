import type {Readable} from 'node:stream'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from './byte-source.js'

export interface OpenBytesOptions {
  readonly signal?: AbortSignal | undefined
  /** Where plain bytes may be kept for a while; `never`: read compressed input twice instead. Default: the system's. */
  readonly scratch?: {readonly directory: string} | 'never' | undefined
  /** Bytes of decoded blocks held at once; one block is always allowed. Default 96 MiB. */
  readonly memoryBudget?: number | undefined
  /** Blocks decoded at once. Default: the processors there are. */
  readonly threads?: number | undefined
  /** Told what a user may want to know: that something is read twice, or kept on scratch disk. */
  readonly onNote?: ((text: string) => void) | undefined
}

export type BytesInput = {readonly path: string} | {readonly stream: Readable; readonly name: string}

/** A part of a byte source that is an archive itself. `name` is for messages: the path inside the outer one. */
export interface NestedRange {
  readonly offset: number
  readonly length: number
  readonly name: string
}

/**
 * Opens a file or a stream and gives its plain bytes; the compression is sniffed from the content.
 * @throws {MirrorError} BUNDLE_UNREADABLE, BUNDLE_UNSUPPORTED, BUNDLE_TRUNCATED, BUNDLE_CORRUPT, SCRATCH_FULL, CANCELLED
 */
export const openBytes = async (input: BytesInput, _options: OpenBytesOptions = {}): Promise<ByteSource> => {
  throw new MirrorError('BUNDLE_UNSUPPORTED', `cannot read ${'path' in input ? input.path : input.name} yet`)
}

/**
 * The plain bytes of a range of another source, which may be compressed itself; a plain range is a slice, never a copy.
 * Disposing it leaves `source` open.
 * @throws {MirrorError} as `openBytes`
 */
export const openNested = async (
  _source: ByteSource,
  range: NestedRange,
  _options: OpenBytesOptions = {},
): Promise<ByteSource> => {
  throw new MirrorError('BUNDLE_UNSUPPORTED', `cannot read ${range.name} yet`)
}
