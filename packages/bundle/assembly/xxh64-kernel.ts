/** XXH64 with the seed 0, the checksum of zstd frames, in AssemblyScript: it needs integers of 64 bits. */

/** Room for a block, to be filled before `xxh64`: 2 MiB. */
export const PLAIN: u32 = 0x1_0000

/* oxlint-disable no-loss-of-precision, typescript/no-unnecessary-type-assertion -- integers of 64 bits in AssemblyScript */
const P1: u64 = 0x9e3779b185ebca87
const P2: u64 = 0xc2b2ae3d27d4eb4f
const P3: u64 = 0x165667b19e3779f9
const P4: u64 = 0x85ebca77c2b2ae63
const P5: u64 = 0x27d4eb2f165667c5

function round(lane: u64, word: u64): u64 {
  return rotl(lane + word * P2, 31) * P1
}

function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P1 + P4
}

/** Returns the low 32 bits of the hash of the first `size` bytes. */
export function xxh64(size: u32): u32 {
  let at: u32 = PLAIN
  const end: u32 = PLAIN + size
  let hash: u64
  if (size >= 32) {
    let a: u64 = P1 + P2
    let b: u64 = P2
    let c: u64 = 0
    let d: u64 = 0 - P1
    for (; at + 32 <= end; at += 32) {
      a = round(a, load<u64>(at))
      b = round(b, load<u64>(at, 8))
      c = round(c, load<u64>(at, 16))
      d = round(d, load<u64>(at, 24))
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)
    hash = merge(merge(merge(merge(hash, a), b), c), d)
  } else hash = P5
  hash += size
  for (; at + 8 <= end; at += 8) hash = rotl(hash ^ round(0, load<u64>(at)), 27) * P1 + P4
  if (at + 4 <= end) {
    hash = rotl(hash ^ ((load<u32>(at) as u64) * P1), 23) * P2 + P3
    at += 4
  }
  for (; at < end; at++) hash = rotl(hash ^ ((load<u8>(at) as u64) * P5), 11) * P1
  hash = (hash ^ (hash >> 33)) * P2
  hash = (hash ^ (hash >> 29)) * P3
  return (hash ^ (hash >> 32)) as u32
}
