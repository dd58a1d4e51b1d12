import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import type {TarEntry} from './tar-entry.js'

export interface TarIndex {
  /** In the archive's order. Of several members with one path only the last is there. */
  readonly entries: readonly TarEntry[]
  /**
   * The file or directory at a path, links followed inside the archive; undefined where there is none, where a link leads
   * out of the archive or in a circle.
   */
  find(path: string): TarEntry | undefined
}

/**
 * Reads the headers of an archive, hopping over contents.
 * @throws {MirrorError} BUNDLE_TRUNCATED, BUNDLE_CORRUPT, BUNDLE_UNSUPPORTED, LIMIT_EXCEEDED, BUNDLE_UNREADABLE, CANCELLED
 */
export const indexTar = async (source: ByteSource, _options: ReadOptions = {}): Promise<TarIndex> => {
  throw new MirrorError('BUNDLE_UNSUPPORTED', `cannot index ${source.name} yet`)
}
