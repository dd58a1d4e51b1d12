import type {BlockCache} from '../bytes/block-cache.js'
import type {IdlePasses} from '../bytes/idle-passes.js'
import type {ByteSource} from '../bytes/byte-source.js'

export interface OpenBytesOptions {
  readonly signal?: AbortSignal | undefined
  /** Where plain bytes may be kept for a while; `never`: read compressed input twice instead. Default: the system's. */
  readonly scratch?: {readonly directory: string} | 'never' | undefined
  /** Bytes of decoded blocks held at once; one block is always allowed. Default 56 MiB. */
  readonly memoryBudget?: number | undefined
  /** Another file of the same bundle: both stay within its memory budget. */
  readonly beside?: ByteSource | undefined
  /** Blocks decoded at once. Default: the processors there are. */
  readonly threads?: number | undefined
  /** More plain bytes than this come out of no decompressor: they would be a bomb. Default: any number. */
  readonly maxPlainBytes?: number | undefined
  /** Told what a user may want to know: that something is read twice, or kept on scratch disk. */
  readonly onNote?: ((text: string) => void) | undefined
}

/** The same, with what the sources of one level share. */
export interface OpenPackedOptions extends OpenBytesOptions {
  readonly cache: BlockCache
  readonly budget: number
  readonly idle: IdlePasses
}
