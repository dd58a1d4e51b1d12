import {limits, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'

export interface UnpackLimits {
  /** Plain bytes for each packed byte. */
  readonly ratio: number
  /** Plain bytes that are allowed beyond that, for images that begin with a long run of zeros. */
  readonly always: number
}

const USUAL: UnpackLimits = {ratio: limits.nestedRatio, always: limits.nestedBytes}

/** Counts the plain bytes of layers, all of an archive together. Layers that failed count, because they were written, too. */
export class UnpackAccount {
  readonly #limits: UnpackLimits
  #packed = 0
  #plain = 0

  constructor(of: UnpackLimits = USUAL) {
    this.#limits = of
  }

  /** Yields packed bytes, counted as they come: a size that an image only claims earns nothing. */
  async *packed(bytes: Bytes): Bytes {
    for await (const chunk of bytes) {
      this.#packed += chunk.length
      yield chunk
    }
  }

  /**
   * Counts plain bytes before they are passed on.
   * @throws {MirrorError} LIMIT_EXCEEDED for a compression bomb
   */
  unpacked(bytes: number, name: string): void {
    this.#plain += bytes
    const most = this.#limits.always + this.#limits.ratio * this.#packed
    if (this.#plain <= most) return
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${name} unpacks to too much: ${this.#plain} bytes come from ${this.#packed} so far`,
      {side: 'source', advice: {kind: 'use-oci-archive-if-trusted'}},
    )
  }
}
