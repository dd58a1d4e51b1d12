/** The polynomial of gzip's CRC-32, bits reversed. */
const polynomial = 0xedb88320

/** Returns the CRC of two joined runs of bytes, from the CRC of each and the length of the second. */
export function joinCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(powerOfX(secondLength), first) ^ second) >>> 0
}

/** Multiplies polynomials over GF(2) modulo the CRC's, with the coefficient of x^0 in the highest bit. */
function multiply(left: number, right: number): number {
  let product = 0
  let shifted = right
  for (let bit = 31; bit >= 0; bit--) {
    if ((left >>> bit) & 1) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return product
}

/** Returns x^(8 · bytes), by squaring. */
function powerOfX(bytes: number): number {
  let power = 1 << 31
  let square = 1 << (31 - 8)
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}
