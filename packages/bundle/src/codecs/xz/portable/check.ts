import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import type {LzmaDecoder} from './lzma-decoder.js'

/** A checksum of a block, fed piece by piece. */
export interface Check {
  /** Takes the bytes that the decoder gave last. */
  update(bytes: Uint8Array): void
  /** As it stands in the file. */
  end(): Uint8Array
}

/** The checksum of the stream flags' number (xz-file-format.txt 1.2, 2.1.1.2). @throws {Error} for one that is not known */
export function checkOf(kind: number, decoder: LzmaDecoder): Check {
  if (kind === 0) return {update: () => {}, end: () => new Uint8Array()}
  if (kind === 1) return crc32Check()
  // In the decoder's memory, because JavaScript takes longer for it than the decoding takes.
  if (kind === 4)
    return {
      update: (bytes) => decoder.addToChecksum(bytes.length),
      end: () => little(decoder.checksum),
    }
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

function little(words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, index * 4)
  return new Uint8Array(bytes)
}
