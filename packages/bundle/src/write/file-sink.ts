import type {CallOptions, ImageSink} from '@airgap-mirror/oci-client/model'

/** Writes images into a file or a directory that becomes visible at `finish`. */
export interface FileSink extends ImageSink {
  /**
   * Gives the written images their name; does nothing if there are none. A sink disposed without `finish` leaves no new
   * name. Blobs in a directory stay, so that a later run does not write them again.
   * @throws {MirrorError} WRITE_FAILED
   */
  finish(options?: CallOptions): Promise<void>
}
