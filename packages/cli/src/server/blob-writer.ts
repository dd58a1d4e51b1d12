import type {Digest, DigestAlgorithm} from '@airgap-mirror/oci-client/model'

/** The content of one upload session, growing. */
export interface BlobWriter {
  readonly size: number
  write(chunk: Uint8Array): Promise<void>
  /** The digest of everything written so far; undefined if the content of another algorithm was not kept. */
  digest(algorithm: DigestAlgorithm): Promise<Digest | undefined>
  /** Puts the blob into the repository of the session: afterwards it is there completely or not at all. */
  commit(digest: Digest): Promise<void>
  discard(): Promise<void>
}
