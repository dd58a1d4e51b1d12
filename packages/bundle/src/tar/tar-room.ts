import {limits} from '@airgap-mirror/oci-client/model'

/** The remaining limits shared by the archives of one bundle; indexing uses them up. */
export interface TarRoom {
  entries: number
  nameBytes: number
  /** Room for captured contents, which are kept because they are costly to read again. */
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
