import type {Bytes} from '@airgap-mirror/oci-client/model'
import {SMALL, type PassingBlob} from './passing-blob.js'

/** Content in memory: what is read ahead, and what may be sent again. */
const BUDGET_BYTES = 48 * 1024 * 1024
/** Small blobs that stay in memory after their transfers, because another repository may need them. */
const SMALL_BYTES = 16 * 1024 * 1024

/** Drops content that was read if the memory is full. @returns false if it is still full */
export function hasRoom(blobs: ReadonlySet<PassingBlob>): boolean {
  let held = 0
  for (const blob of blobs) held += blob.held
  for (const blob of blobs) {
    if (held < BUDGET_BYTES) return true
    if (blob.size > SMALL) held -= blob.dropRead()
  }
  return held < BUDGET_BYTES
}

/** Small blobs that nobody reads now. The oldest are dropped. */
export class SmallBlobs {
  readonly #blobs = new Set<PassingBlob>()

  /** @param blob with its whole content */
  keep(blob: PassingBlob): void {
    this.#blobs.delete(blob)
    this.#blobs.add(blob)
    let held = 0
    for (const one of this.#blobs) held += one.held
    for (const oldest of this.#blobs) {
      if (held <= SMALL_BYTES) return
      held -= oldest.held
      this.#blobs.delete(oldest)
      if (!oldest.isNeeded) oldest.dropAll()
    }
  }
}

/** Returns the first bytes of a stream. */
export async function firstOf(bytes: Bytes, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  if (length <= 0) return new Uint8Array()
  for await (const part of bytes) {
    parts.push(part)
    size += part.length
    if (size >= length) break
  }
  return Buffer.concat(parts).subarray(0, length)
}
