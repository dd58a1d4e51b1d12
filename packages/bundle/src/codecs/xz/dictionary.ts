import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../../bytes/byte-source.js'
import type {XzBlockTable} from './block-table.js'
import {dictionaryOf, LONGEST_BLOCK_HEADER} from './block-header.js'

/**
 * Refuses blocks whose decoder would keep more than `limits.xzDictionaryBytes` of what it decodes. liblzma would keep up to
 * 4 GiB; but never more than the block holds, so only bigger ones are looked at.
 * @throws {MirrorError} LIMIT_EXCEEDED, and what reading throws
 */
export async function refuseBigDictionaries(
  {blocks}: XzBlockTable,
  packed: ByteSource,
  options: ReadOptions,
): Promise<void> {
  for (const {packedOffset, plainSize} of blocks) {
    if (plainSize <= limits.xzDictionaryBytes) continue
    const dictionary = dictionaryOf(await packed.read(packedOffset, LONGEST_BLOCK_HEADER, options))
    if (dictionary === undefined || dictionary <= limits.xzDictionaryBytes) continue
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${packed.name} needs an xz dictionary of ${dictionary} bytes: over the limit of ${limits.xzDictionaryBytes}`,
      {
        side: 'source',
        advice: {kind: 'decompress', compression: 'xz'},
      },
    )
  }
}
