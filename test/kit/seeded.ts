import {createCipheriv, createHash} from 'node:crypto'

/** Always the same bytes for the same seed; they do not compress. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16))
  return cipher.update(Buffer.alloc(size))
}

/** Always the same numbers for the same seed, at least 0 and below 1. */
export function seededRandom(seed: string): () => number {
  let block: Buffer = Buffer.alloc(0)
  let count = 0
  return () => {
    if (block.length < 4) block = seededBytes(`${seed}/${count++}`, 4096)
    const value = block.readUInt32LE(0) / 2 ** 32
    block = block.subarray(4)
    return value
  }
}

const SYLLABLES =
  'lib so config usr share doc bin the of and return static node kernel 0x1f python gnu'.split(' ')

/** Text that gzip brings down to about a third, as it does the files of real images. */
export function seededText(seed: string, size: number): Buffer {
  const random = seededRandom(seed)
  const paragraph = Buffer.from(
    Array.from({length: 400}, () => {
      const word = SYLLABLES[Math.floor(random() * SYLLABLES.length)] ?? ''
      return random() < 0.5 ? word : `${word}${Math.floor(random() * 1e6).toString(36)}`
    }).join(' '),
  )
  const text = Buffer.alloc(size)
  for (let offset = 0; offset < size; offset += 512) {
    const start = Math.floor(random() * (paragraph.length - 512))
    paragraph.copy(text, offset, start, start + 512)
    seededBytes(`${seed}/${offset}`, 96).copy(text, offset)
  }
  return text
}

/** A new list in another order, always the same for the same seed. */
export function shuffled<Item>(items: readonly Item[], seed: string): Item[] {
  const random = seededRandom(seed)
  return items
    .map((item) => ({item, key: random()}))
    .toSorted((left, right) => left.key - right.key)
    .map(({item}) => item)
}

/**
 * Returns the number of tries of a random test: `count`, which is enough for every day, or MIRROR_TEST_TIMES as many for
 * a longer look.
 */
export function timesTried(count: number): number {
  return count * Number(process.env['MIRROR_TEST_TIMES'] ?? 1)
}
