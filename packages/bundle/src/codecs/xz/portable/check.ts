import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'

/** A checksum of a block, fed piece by piece. */
export interface Check {
  update(bytes: Uint8Array): void
  /** As it stands in the file. */
  end(): Uint8Array
}

/** The checksum of the stream flags' number (xz-file-format.txt 1.2, 2.1.1.2). @throws {Error} for one that is not known */
export function checkOf(kind: number): Check {
  if (kind === 0) return {update: () => {}, end: () => new Uint8Array()}
  if (kind === 1) return crc32Check()
  if (kind === 4) return crc64Check()
  if (kind !== 10) throw new Error(`the kind of checksum ${kind} is not known`)
  const hash = createHash('sha256')
  return {update: (bytes) => hash.update(bytes), end: () => new Uint8Array(hash.digest())}
}

function crc32Check(): Check {
  let crc = 0
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc)
    },
    end: () => little([crc]),
  }
}

/** ECMA-182, bits reversed; in two halves, since numbers have no 64 bits. */
function crc64Check(): Check {
  let low = 0xffffffff
  let high = 0xffffffff
  return {
    update: (bytes) => {
      for (const byte of bytes) {
        const index = (low ^ byte) & 0xff
        low = (((low >>> 8) | (high << 24)) ^ (LOW[index] ?? 0)) >>> 0
        high = ((high >>> 8) ^ (HIGH[index] ?? 0)) >>> 0
      }
    },
    end: () => little([~low >>> 0, ~high >>> 0]),
  }
}

function little(words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, index * 4)
  return new Uint8Array(bytes)
}

const LOW = new Uint32Array(256)
const HIGH = new Uint32Array(256)
for (let byte = 0; byte < 256; byte += 1) {
  let low = byte
  let high = 0
  for (let bit = 0; bit < 8; bit += 1) {
    const isOdd = (low & 1) === 1
    low = ((low >>> 1) | (high << 31)) >>> 0
    high >>>= 1
    if (isOdd) {
      low = (low ^ 0xd7870f42) >>> 0
      high = (high ^ 0xc96c5795) >>> 0
    }
  }
  LOW[byte] = low
  HIGH[byte] = high
}
