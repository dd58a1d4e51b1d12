/** The size of a chunk of a file: large enough that a read costs little for each byte. */
export const FILE_CHUNK_BYTES = 1024 * 1024
/** The most buffers that wait for their next stream. */
const MOST_SPARE = 16

const spare: Buffer[] = []

/** Returns a buffer of `length` bytes with any content, for chunks whose memory is used again. */
export function takeBuffer(length: number): Buffer {
  if (length !== FILE_CHUNK_BYTES) return Buffer.allocUnsafeSlow(length)
  return spare.pop() ?? Buffer.allocUnsafeSlow(length)
}

/** Takes back a buffer that nobody reads any more, so that streams of a server make no garbage. */
export function giveBack(buffer: Buffer | undefined): void {
  if (buffer?.length === FILE_CHUNK_BYTES && spare.length < MOST_SPARE) spare.push(buffer)
}
