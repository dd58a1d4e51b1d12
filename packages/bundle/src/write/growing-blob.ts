import {createHash, type Hash} from 'node:crypto'
import {digestFrom, type Digest, type DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import {blobPath} from '../contents/blob-path.js'

import type {UnnamedFile} from './unnamed-file.js'
import {ofBytes} from './write-at.js'

/** A blob of a layout that comes in pieces. Nothing of it is seen before `commit`. */
export class GrowingBlob {
  readonly #file: UnnamedFile
  readonly #algorithm: DigestAlgorithm
  readonly #hash: Hash

  constructor(file: UnnamedFile, algorithm: DigestAlgorithm) {
    this.#file = file
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  get size(): number {
    return this.#file.size
  }

  /** @throws {MirrorError} WRITE_FAILED */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#file.write(ofBytes(chunk))
    this.#hash.update(chunk)
  }

  /** Returns the digest of everything written so far. */
  async digest(algorithm: DigestAlgorithm): Promise<Digest> {
    if (algorithm === this.#algorithm) return digestFrom(this.#hash.copy(), algorithm)
    const hash = createHash(algorithm)
    for await (const chunk of this.#file.read()) hash.update(chunk)
    return digestFrom(hash, algorithm)
  }

  /** Gives the blob its place in the layout. The caller has compared the digest. @throws {MirrorError} WRITE_FAILED */
  async commit(digest: Digest): Promise<void> {
    await this.#file.name(blobPath({digest}))
  }

  async discard(): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }
}
