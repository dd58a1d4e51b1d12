import * as fc from 'fast-check'
import {repairChecksum} from './raw-tar.js'

/** A change to bytes; places and lengths are shares of the whole, so that they shrink to its start. */
export type Mutation =
  | {readonly kind: 'flip'; readonly at: number; readonly bit: number}
  | {readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array}
  | {readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array}
  | {readonly kind: 'cut'; readonly at: number; readonly length: number}
  | {readonly kind: 'end'; readonly at: number}
  | {readonly kind: 'copy'; readonly at: number; readonly to: number; readonly length: number}
  | {readonly kind: 'swap'; readonly at: number; readonly to: number; readonly length: number}

const share = fc.double({min: 0, max: 1, noNaN: true, maxExcluded: true})
const length = fc.oneof(
  fc.integer({min: 1, max: 16}),
  fc.constantFrom(512, 1024, 1536),
  fc.integer({min: 1, max: 4000}),
)
/** Also what often means something: ends of ranges, text of numbers, magic. */
const bytes = fc.oneof(
  fc.uint8Array({minLength: 1, maxLength: 16}),
  fc.constantFrom(
    ...['ffffffff', '00000000', '80000000', '7fffffffffffffff', 'ffffffffffffffffff01'].map((hex) =>
      Buffer.from(hex, 'hex'),
    ),
    ...['9', '-1', '1e9', '77777777777', '"', '{', '}', '[', ',', '../', '\0', 'sha256:'].map((text) =>
      Buffer.from(text),
    ),
    ...['fd377a585a00', '28b52ffd', '1f8b08', '502a4d18'].map((magic) => Buffer.from(magic, 'hex')),
  ),
)

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.oneof(
    fc.record({kind: fc.constant('flip' as const), at: share, bit: fc.nat(7)}),
    fc.record({kind: fc.constant('write' as const), at: share, bytes}),
    fc.record({kind: fc.constant('insert' as const), at: share, bytes}),
    fc.record({kind: fc.constant('cut' as const), at: share, length}),
    fc.record({kind: fc.constant('end' as const), at: share}),
    fc.record({kind: fc.constant('copy' as const), at: share, to: share, length}),
    fc.record({kind: fc.constant('swap' as const), at: share, to: share, length}),
  ),
  {minLength: 1, maxLength: 4},
)

export function mutated(original: Buffer, list: readonly Mutation[]): Buffer {
  return list.reduce((whole, mutation) => applied(Buffer.from(whole), mutation), original)
}

/** Puts the checksums of all tar headers right, so that what they say is believed. */
export function repaired(archive: Buffer): Buffer {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    if (archive.toString('latin1', at + 257, at + 262) === 'ustar') repairChecksum(archive, at)
  }
  return archive
}

function applied(whole: Buffer, mutation: Mutation): Buffer {
  const at = Math.floor(mutation.at * whole.length)
  if (mutation.kind === 'insert')
    return Buffer.concat([whole.subarray(0, at), mutation.bytes, whole.subarray(at)])
  if (mutation.kind === 'cut')
    return Buffer.concat([whole.subarray(0, at), whole.subarray(at + mutation.length)])
  if (mutation.kind === 'end') return whole.subarray(0, at)
  if (mutation.kind === 'flip') whole[at] = (whole[at] ?? 0) ^ (1 << mutation.bit)
  else if (mutation.kind === 'write') whole.set(mutation.bytes.subarray(0, whole.length - at), at)
  else {
    const to = Math.floor(mutation.to * whole.length)
    const room = Math.min(mutation.length, whole.length - at, whole.length - to)
    const there = Buffer.from(whole.subarray(to, to + room))
    whole.copyWithin(to, at, at + room)
    if (mutation.kind === 'swap') there.copy(whole, at)
  }
  return whole
}
