import type {Bytes, CallOptions, Digest} from '@airgap-mirror/oci-client/model'

/** Files by relative path, below a directory or inside an archive that is being made. Paths are never taken from outside. */
export interface ContentStore {
  /** For messages. */
  readonly path: string
  /** The size of a file that is there completely. */
  sizeOf(path: string): Promise<number | undefined>
  /** Whether the content of a digest is there. A file that was there before is read: its size alone proves nothing. */
  holds(path: string, content: {readonly digest: Digest; readonly size?: number}): Promise<boolean>
  /** @throws {MirrorError} LIMIT_EXCEEDED over `limit` bytes, WRITE_FAILED where it cannot be read */
  read(path: string, options: CallOptions & {readonly limit: number}): Promise<Uint8Array | undefined>
  /**
   * A file whose size is known. It is there once this has ended, complete or not at all.
   * @throws {MirrorError} WRITE_FAILED, those of the bytes
   */
  write(path: string, bytes: Bytes, options: CallOptions & {readonly size: number}): Promise<void>
  /**
   * A file that has its path only after its last byte. @param place undefined: it is not wanted after all
   * @throws {MirrorError} WRITE_FAILED, those of the bytes and of `place`
   */
  writeUnnamed(
    bytes: Bytes,
    options: CallOptions & {readonly place: (size: number) => Promise<string | undefined>},
  ): Promise<void>
  /** Files by their names, from then on for everybody to see. */
  finish(files: ReadonlyMap<string, Uint8Array>, options?: CallOptions): Promise<void>
  /** Lets go of what has not been finished. */
  close(): Promise<void>
}
