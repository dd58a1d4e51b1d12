import type {BlockCache} from '../bytes/block-cache.js'
import type {IdlePasses} from '../bytes/idle-passes.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {Scratch} from './scratch-file.js'

export interface OpenBytesOptions {
  readonly signal?: AbortSignal
  /** The directory for scratch; `never`: read compressed input twice instead. Default: the system's. */
  readonly scratch?: Scratch | 'never'
  /** True if content is read many times and in any order: then decoded content is kept in scratch. Default false. */
  readonly readOften?: boolean
  /** The most bytes of decoded blocks held at once; one block is always allowed. Default: 56 MiB. */
  readonly memoryBudget?: number
  /** Another file of the same bundle: both share its memory budget. */
  readonly beside?: ByteSource
  /** The most blocks decoded at once. Default: the number of processors, at most three. */
  readonly threads?: number
  /** The most plain bytes from one decompressor, to stop a compression bomb. Default: no limit. */
  readonly maxPlainBytes?: number
  /** False if only the archive's index is read, so that decoding content in advance is a waste. Default true. */
  readonly contentFollows?: boolean
  /** Gets notes for the user: a source is read twice, or kept in scratch. */
  readonly onNote?: (text: string) => void
  /** Told how much of the compressed file, or of the stream, has been read. `total` is absent for a stream. */
  readonly onReading?: (bytes: number, total?: number) => void
}

/** The same options, with the objects shared by the sources of one level. */
export interface OpenPackedOptions extends OpenBytesOptions {
  readonly cache: BlockCache
  readonly budget: number
  readonly idle: IdlePasses
}
