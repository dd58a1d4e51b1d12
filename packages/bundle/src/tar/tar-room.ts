import {limits} from '@airgap-mirror/oci-client/model'

/** What the archives of one bundle may still hold together; indexing them uses it up. */
export interface TarRoom {
  entries: number
  nameBytes: number
  /** Contents that are kept since they are costly to read again. */
  capturedBytes: number
}

const CAPTURED_BYTES = 64 * 1024 * 1024

export function tarRoom(): TarRoom {
  return {
    entries: limits.tarEntries,
    nameBytes: limits.tarNamesBytes,
    capturedBytes: CAPTURED_BYTES,
  }
}
