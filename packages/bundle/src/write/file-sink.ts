import type {CallOptions, ImageSink} from '@airgap-mirror/oci-client/model'

/** Images into a file or a directory, which nobody sees before `finish`. */
export interface FileSink extends ImageSink {
  /**
   * Puts what was written under its name; nothing where no image was. Disposed of without it, a sink leaves no name behind
   * that was not there before; blobs that a directory has gained stay, so that a later run does not write them again.
   * @throws {MirrorError} WRITE_FAILED
   */
  finish(options?: CallOptions): Promise<void>
}
