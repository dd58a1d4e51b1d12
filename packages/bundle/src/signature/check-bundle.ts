import {MirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {FindVolumesOptions} from '../volumes/volume-set.js'
import {compareFiles, exists, placeOf, readSmall} from './compare-files.js'

/**
 * Compares a bundle with the checksum file beside it: every byte counts, also those that belong to no image. Reads the whole
 * bundle. @returns the checksum file's path; undefined if there is none
 * @throws {MirrorError} SOURCE_CORRUPT if a file differs, SOURCE_UNREADABLE, LIMIT_EXCEEDED, CANCELLED
 */
export async function checkBundle(
  path: string,
  options: CallOptions & FindVolumesOptions = {},
): Promise<string | undefined> {
  const place = await placeOf(path)
  if (!(await exists(place.checksums))) return undefined
  const text = Buffer.from(await readSmall(place.checksums)).toString('utf8')
  await compareFiles(place, text, {...options, was: 'written', refuse: damaged})
  return place.checksums
}

function damaged(message: string): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', message, {side: 'source', advice: {kind: 'copy-again'}})
}
