/** The compression of an archive. */
export interface Packing {
  readonly codec: 'gzip' | 'xz' | 'zstd' | 'bzip2'
  /** Parts that can be decoded on their own; absent if the file does not list them. */
  readonly blocks?: {
    readonly count: number
    /** The plain size of the largest, in bytes. */
    readonly largest: number
  }
}
