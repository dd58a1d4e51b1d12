import {headerBytesAfter} from './frame-header.js'

/** The part of a frame that a decoder takes in one call. */
export interface FramePiece {
  readonly bytes: Uint8Array
  /** True for a block with content, so that a decoder has to return some. */
  readonly hasContent: boolean
}

const BEGINNING_BYTES = 5
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const RLE = 1

type Part = 'beginning' | 'header' | 'block-header' | 'block' | 'checksum' | 'end'

/**
 * Cuts frames, which come in chunks of any size, into header, blocks and checksum (RFC 8878, 3.1.1). The structure of a
 * frame was checked before.
 */
export class FrameCutter {
  #part: Part = 'beginning'
  /** The length of the piece, as far as it is known. */
  #length = BEGINNING_BYTES
  #held: Uint8Array = new Uint8Array()
  #hasChecksum = false
  #isLast = false
  #hasContent = false

  /** Returns true if the frame is complete. Afterwards the next frame may come. */
  endFrame(): boolean {
    const isComplete = this.#part === 'end'
    this.#part = 'beginning'
    this.#length = BEGINNING_BYTES
    this.#held = new Uint8Array()
    return isComplete
  }

  /** Yields the pieces that are complete with this chunk. */
  *push(chunk: Uint8Array): Generator<FramePiece, void, undefined> {
    let rest = chunk
    while (this.#part !== 'end') {
      const missing = this.#length - this.#held.length
      const taken = rest.subarray(0, missing)
      this.#held = this.#held.length === 0 ? taken : Buffer.concat([this.#held, taken])
      rest = rest.subarray(taken.length)
      if (taken.length < missing) return
      if (this.#part === 'beginning') this.#readBeginning(this.#held)
      else if (this.#part === 'block-header') this.#readBlockHeader(this.#held)
      else {
        yield {bytes: this.#held, hasContent: this.#part === 'block' && this.#hasContent}
        this.#held = new Uint8Array()
        this.#nextPiece()
      }
    }
  }

  #readBeginning(bytes: Uint8Array): void {
    const descriptor = bytes[BEGINNING_BYTES - 1] ?? 0
    this.#hasChecksum = (descriptor & 4) !== 0
    this.#part = 'header'
    this.#length += headerBytesAfter(descriptor)
  }

  #readBlockHeader([low = 0, middle = 0, high = 0]: Uint8Array): void {
    const size = (low >> 3) | (middle << 5) | (high << 13)
    this.#isLast = (low & 1) !== 0
    this.#hasContent = size > 0
    this.#part = 'block'
    this.#length += ((low >> 1) & 3) === RLE ? 1 : size
  }

  #nextPiece(): void {
    if (this.#part === 'header' || (this.#part === 'block' && !this.#isLast)) {
      this.#part = 'block-header'
      this.#length = BLOCK_HEADER_BYTES
    } else if (this.#part === 'block' && this.#hasChecksum) {
      this.#part = 'checksum'
      this.#length = CHECKSUM_BYTES
    } else this.#part = 'end'
  }
}
