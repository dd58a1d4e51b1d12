const polynomial = 0xedb88320 | 0

/** Eight tables of 256, so that eight bytes go in one step ("slicing by 8"). */
const tables = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
  tables[byte] = crc
}
for (let index = 256; index < tables.length; index++) {
  const before = tables[index - 256] as number
  tables[index] = (before >>> 8) ^ (tables[before & 255] as number)
}

/** CRC-32 as gzip has it, unsigned. Node's own exists only from 22.2 on. */
export const crc32 = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    const low = view.getInt32(at, true) ^ crc
    const high = view.getInt32(at + 4, true)
    crc =
      (tables[1792 + (low & 255)] as number) ^
      (tables[1536 + ((low >>> 8) & 255)] as number) ^
      (tables[1280 + ((low >>> 16) & 255)] as number) ^
      (tables[1024 + (low >>> 24)] as number) ^
      (tables[768 + (high & 255)] as number) ^
      (tables[512 + ((high >>> 8) & 255)] as number) ^
      (tables[256 + ((high >>> 16) & 255)] as number) ^
      (tables[high >>> 24] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[at] as number)) & 255] as number)
  return ~crc >>> 0
}

/** The CRC of two runs of bytes, from the CRC of each and the length of the second. */
export const joinCrc32 = (first: number, second: number, secondLength: number): number =>
  (multiply(powerOfX(secondLength), first) ^ second) >>> 0

/** Polynomials over GF(2) modulo the CRC's, the coefficient of x^0 in the highest bit. */
const multiply = (left: number, right: number): number => {
  let product = 0
  let shifted = right
  for (let bit = 31; bit >= 0; bit--) {
    if ((left >>> bit) & 1) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return product
}

/** x^(8 · bytes), by squaring. */
const powerOfX = (bytes: number): number => {
  let power = 1 << 31
  let square = 1 << (31 - 8)
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}
