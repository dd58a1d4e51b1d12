import type {BlobSource, CallOptions, ImageManifest, ImageSink} from '@airgap-mirror/oci-client/model'

/** Writes images into a file or a directory that becomes visible at `finish`. */
export interface FileSink extends ImageSink {
  /**
   * Absent if the sink keeps layers as they are. Tells the diff IDs of an image's layers, so that a layer that unpacks
   * to something else is refused when it ends.
   * @throws {MirrorError} DIGEST_MISMATCH if the config has another number of layers; the errors of the config's bytes
   */
  announce?(manifest: ImageManifest, config: BlobSource, options?: CallOptions): Promise<void>
  /**
   * Gives the written images their name; does nothing if there are none. A sink disposed without `finish` leaves no new
   * name. Blobs in a directory stay, so that a later run does not write them again.
   * @throws {MirrorError} WRITE_FAILED
   */
  finish(options?: CallOptions): Promise<void>
}
