import type {Bytes, CallOptions, Digest} from '@airgap-mirror/oci-client/model'

/** Files by relative path, below a directory or inside a new archive. Paths are never taken from input. */
export interface ContentStore {
  /** For messages. */
  readonly path: string
  /** Returns the size of a complete file; undefined if there is none. */
  sizeOf(path: string): Promise<number | undefined>
  /** Returns true if the content of a digest is stored. An older file is read, because its size alone proves nothing. */
  holds(path: string, content: {readonly digest: Digest; readonly size?: number}): Promise<boolean>
  /** @throws {MirrorError} LIMIT_EXCEEDED over `limit` bytes, WRITE_FAILED if it cannot be read */
  read(path: string, options: CallOptions & {readonly limit: number}): Promise<Uint8Array | undefined>
  /**
   * Writes a file of known size. Afterwards it is there completely or not at all.
   * @throws {MirrorError} WRITE_FAILED, and the errors of the bytes
   */
  write(path: string, bytes: Bytes, options: CallOptions & {readonly size: number}): Promise<void>
  /**
   * Writes a file whose path is known only after its last byte. @param place returns undefined to drop the file
   * @throws {MirrorError} WRITE_FAILED, and the errors of the bytes and of `place`
   */
  writeUnnamed(
    bytes: Bytes,
    options: CallOptions & {readonly place: (size: number) => Promise<string | undefined>},
  ): Promise<void>
  /** Writes files under their names and makes the result visible. */
  finish(files: ReadonlyMap<string, Uint8Array>, options?: CallOptions): Promise<void>
  /** Discards everything that is not finished. */
  close(): Promise<void>
}
