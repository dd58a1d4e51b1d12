/** Decoders that block the thread they run in. */
export type ThreadLibrary = 'zstd' | 'bzip2' | 'xz'

/** The start of the decoding thread. `credit` is the number of outputs it may still send before it has to wait. */
export interface WorkerStart {
  readonly library: ThreadLibrary
  readonly credit: Int32Array
}

/** To the thread: compressed bytes, the end of a frame, or the end of the stream, after which another may come. */
export type ToWorker = Uint8Array | 'frame-end' | 'end'

/** From the thread. `more`: it has used up compressed bytes. `end`: the last output has been sent. */
export type FromWorker =
  | {readonly kind: 'output'; readonly bytes: Uint8Array}
  | {readonly kind: 'more'}
  | {readonly kind: 'end'}
  | {readonly kind: 'failed'; readonly message: string; readonly isEnd: boolean}
