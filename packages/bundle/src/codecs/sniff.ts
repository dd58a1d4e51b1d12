import {MirrorError, type ForeignCompression} from '@airgap-mirror/oci-client/model'
import {looksLikeTar} from '../tar/looks-like-tar.js'

export type Compression = 'plain' | 'gzip' | 'xz' | 'zstd'

/** Compressions that are recognised in order to say what to do about them. */
const UNSUPPORTED: readonly {
  readonly magic: readonly number[]
  readonly name: string
  readonly compression: ForeignCompression
}[] = [
  {magic: [0x42, 0x5a, 0x68], name: 'bzip2', compression: 'bzip2'},
  {magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4', compression: 'lz4'},
  {magic: [0x02, 0x21, 0x4c, 0x18], name: 'lz4', compression: 'lz4'},
  {magic: [0x1f, 0x9d], name: 'compress (.Z)', compression: 'compress'},
  {magic: [0x4c, 0x5a, 0x49, 0x50], name: 'lzip', compression: 'lzip'},
  {magic: [0x50, 0x4b, 0x03, 0x04], name: 'zip', compression: 'zip'},
]

/**
 * Tells the compression by the first 512 bytes (fewer where there are no more). What is not known counts as plain.
 * @throws {MirrorError} SOURCE_UNSUPPORTED for a compression that is known and not read
 */
export function sniffCompression(first512: Uint8Array, name: string): Compression {
  if (looksLikeTar(first512)) return 'plain'
  const startsWith = (magic: readonly number[]): boolean =>
    magic.every((byte, index) => first512[index] === byte)
  if (startsWith([0x1f, 0x8b])) return 'gzip'
  if (startsWith([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz'
  if (startsWith([0x28, 0xb5, 0x2f, 0xfd])) return 'zstd'
  // A skippable frame: pzstd begins with one.
  if (startsWith([first512[0] ?? 0, 0x2a, 0x4d, 0x18]) && (first512[0] ?? 0) >> 4 === 5) return 'zstd'
  const known = UNSUPPORTED.find(({magic}) => startsWith(magic))
  if (known === undefined) return 'plain'
  throw new MirrorError('SOURCE_UNSUPPORTED', `${name} is compressed with ${known.name}, which is not read`, {
    side: 'source',
    advice: {kind: 'decompress', compression: known.compression},
  })
}
