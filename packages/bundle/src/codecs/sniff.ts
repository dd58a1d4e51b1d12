import {MirrorError, type ForeignCompression} from '@airgap-mirror/oci-client/model'
import {looksLikeTar} from '../tar/looks-like-tar.js'

/** Compressions that are read; `plain` is anything unknown. */
export type Compression = 'plain' | 'gzip' | 'xz' | 'zstd' | 'bzip2'

/** Compressions that are recognised only to name them in errors. */
export type UnreadCompression = Extract<ForeignCompression, 'lz4' | 'compress' | 'lzip' | 'zip'>

const MAGIC: readonly (readonly [readonly number[], Compression | UnreadCompression])[] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  [[0x02, 0x21, 0x4c, 0x18], 'lz4'],
  [[0x1f, 0x9d], 'compress'],
  [[0x4c, 0x5a, 0x49, 0x50], 'lzip'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
]

const NAMES: Readonly<Record<UnreadCompression, string>> = {
  lz4: 'lz4',
  compress: 'compress (.Z)',
  lzip: 'lzip',
  zip: 'zip',
}

/** Returns the compression of content from its first 512 bytes (fewer if there are no more). */
export function compressionOf(first512: Uint8Array): Compression | UnreadCompression {
  if (looksLikeTar(first512)) return 'plain'
  const startsWith = (magic: readonly number[]): boolean =>
    magic.every((byte, index) => first512[index] === byte)
  // A skippable frame, because pzstd's output begins with it.
  if (startsWith([first512[0] ?? 0, 0x2a, 0x4d, 0x18]) && (first512[0] ?? 0) >> 4 === 5) return 'zstd'
  if (isBzip2(first512)) return 'bzip2'
  return MAGIC.find(([magic]) => startsWith(magic))?.[1] ?? 'plain'
}

/** Checks `BZh`, the block size, and the magic of a block or of the end: any text may begin with three letters. */
function isBzip2(head: Uint8Array): boolean {
  if (!/^BZh[1-9]$/.test(Buffer.from(head.subarray(0, 4)).toString('latin1'))) return false
  const magic = Buffer.from(head.subarray(4, 10)).toString('hex')
  return magic === '314159265359' || magic === '177245385090'
}

export function isRead(compression: Compression | UnreadCompression): compression is Compression {
  return !(compression in NAMES)
}

/** @throws {MirrorError} SOURCE_UNSUPPORTED for a compression that is known but not read */
export function sniffCompression(first512: Uint8Array, name: string): Compression {
  const compression = compressionOf(first512)
  if (isRead(compression)) return compression
  throw notRead(name, compression)
}

/** Returns the error of a file whose compression is not read. */
export function notRead(name: string, compression: UnreadCompression): MirrorError {
  return new MirrorError(
    'SOURCE_UNSUPPORTED',
    `${name} is compressed with ${NAMES[compression]}, which is not supported`,
    {side: 'source', advice: {kind: 'decompress', compression}},
  )
}
