import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import type {XzBlockTable} from './block-table.js'
import {decodeVli} from './container.js'

const LZMA2 = 0x21
const LONGEST_HEADER = 1024

/**
 * Refuses blocks whose decoder would keep more than `limits.xzDictionaryBytes` of what it decodes. liblzma would keep up to
 * 4 GiB; but never more than the block holds, so only bigger ones are looked at.
 * @throws {MirrorError} LIMIT_EXCEEDED, and what reading throws
 */
export const refuseBigDictionaries = async (
  {blocks}: XzBlockTable,
  packed: ByteSource,
  options: ReadOptions,
): Promise<void> => {
  for (const {packedOffset, plainSize} of blocks) {
    if (plainSize <= limits.xzDictionaryBytes) continue
    const dictionary = dictionaryOf(await packed.read(packedOffset, LONGEST_HEADER, options))
    if (dictionary === undefined || dictionary <= limits.xzDictionaryBytes) continue
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${packed.name} needs an xz dictionary of ${dictionary} bytes: over the limit of ${limits.xzDictionaryBytes}`,
      {
        side: 'source',
        hint: 'decompress it on the way in: xz -dc FILE | mirror push --source - ...',
      },
    )
  }
}

/** What a block header says (xz-file-format.txt 1.2, 3.1 and 5.3.1); undefined where the decoder will refuse it anyway. */
const dictionaryOf = (header: Uint8Array): number | undefined => {
  const flags = header[1] ?? 0
  let at = 2
  const next = (): number | undefined => {
    const vli = decodeVli(header, at)
    at = vli?.next ?? at
    return vli?.value
  }
  if ((flags & 0x40) !== 0) next()
  if ((flags & 0x80) !== 0) next()
  for (let filter = flags & 3; filter >= 0; filter -= 1) {
    const id = next()
    const length = next()
    if (id === undefined || length === undefined) return undefined
    const bits = header[at] ?? 0
    if (id === LZMA2) return bits === 40 ? 2 ** 32 - 1 : (2 + (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11)
    at += length
  }
  return undefined
}
