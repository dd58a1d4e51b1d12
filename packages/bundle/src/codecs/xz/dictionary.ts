import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../../bytes/byte-source.js'
import type {XzBlockTable} from './block-table.js'
import {dictionaryOf, LONGEST_BLOCK_HEADER} from './block-header.js'

/**
 * Refuses blocks whose decoder would need a dictionary over `limits.xzDictionaryBytes`: liblzma allows up to 4 GiB.
 * liblzma keeps no more than a block holds, so only bigger blocks are checked.
 * @throws {MirrorError} LIMIT_EXCEEDED, and the errors of reading
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
