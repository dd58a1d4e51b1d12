const KiB = 1024

/** The size of a chunk of a file: large enough that a read costs little for each byte. */
export const FILE_CHUNK_BYTES = 1024 * KiB
/** The most buffers that wait for their next stream. */
const MOST_SPARE = 16

/** The more streams there are, the smaller are their chunks: 1,000 streams take 100 MiB, and as much again over TLS. */
const SMALLER = [
  {from: 128, bytes: 64 * KiB},
  {from: 32, bytes: 256 * KiB},
  {from: 8, bytes: 512 * KiB},
]

const spare: Buffer[] = []
let lent = 0

/** Returns the size for the chunks of a stream that begins now and uses their memory again. */
export function chunkBytes(): number {
  return SMALLER.find(({from}) => lent >= from)?.bytes ?? FILE_CHUNK_BYTES
}

/** Returns a buffer of `length` bytes with any content, for chunks whose memory is used again. */
export function takeBuffer(length: number): Buffer {
  lent += 1
  if (length !== FILE_CHUNK_BYTES) return Buffer.allocUnsafeSlow(length)
  return spare.pop() ?? Buffer.allocUnsafeSlow(length)
}

/** Takes back a buffer. @param isIdle false if its reader may still be at work on it, so that no other stream gets it */
export function giveBack(buffer: Buffer | undefined, {isIdle}: {readonly isIdle: boolean}): void {
  if (buffer === undefined) return
  lent -= 1
  if (isIdle && buffer.length === FILE_CHUNK_BYTES && spare.length < MOST_SPARE) spare.push(buffer)
}
