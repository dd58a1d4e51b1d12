/** The libraries in use on this machine. */
export interface Decoders {
  readonly xz: 'node-liblzma' | 'lzma-native'
  readonly zstd: 'node' | 'zstd-napi' | 'fzstd'
}

export const decoders = async (): Promise<Decoders> => ({xz: 'lzma-native', zstd: 'fzstd'})
