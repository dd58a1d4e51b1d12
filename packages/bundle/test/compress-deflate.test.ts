import {fileURLToPath} from 'node:url'
import {constants, crc32, inflateRawSync} from 'node:zlib'
import {runChild, seededBytes, seededRandom, seededText} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {joinCrc32} from '#src/compress/join-crc32.js'
import {createDeflate} from '#src/compress/deflate/deflate.js'
import {codeLengths} from '#src/compress/deflate/huffman-code.js'

const MiB = 1024 * 1024
const deflate = createDeflate()
function inflate(packed: Uint8Array): Buffer {
  return inflateRawSync(packed, {finishFlush: constants.Z_SYNC_FLUSH})
}

function comesBack(plain: Uint8Array): boolean {
  return inflate(deflate(plain)).equals(plain)
}

describe('deflate', () => {
  test('brings back every short input', () => {
    for (let size = 0; size <= 300; size++) {
      expect(comesBack(seededBytes(`short ${size}`, size))).toBe(true)
      expect(comesBack(new Uint8Array(size).fill(size))).toBe(true)
      expect(comesBack(Uint8Array.from({length: size}, (_, index) => (index * index) % 7))).toBe(true)
    }
  })

  test('brings back zeroes, text and noise of a whole block', () => {
    for (const plain of [new Uint8Array(MiB), seededText('block', MiB), seededBytes('block', MiB)])
      expect(comesBack(plain)).toBe(true)
  })

  test('reaches back 32 KiB and no further', () => {
    const word = seededBytes('word', 64)
    for (const distance of [32_766, 32_767, 32_768, 32_769, 32_770]) {
      expect(
        comesBack(Buffer.concat([word, seededBytes('gap', distance - 64), word, seededBytes('tail', 50)])),
      ).toBe(true)
    }
  })

  test('brings back a code with the longest possible spread of frequencies', () => {
    // Fibonacci's frequencies make the deepest possible tree.
    let [count, next] = [1, 1]
    const parts: Buffer[] = []
    for (let symbol = 0; symbol < 24 && count < 60_000; symbol++) {
      parts.push(Buffer.alloc(count, symbol))
      ;[count, next] = [next, count + next]
    }
    const random = seededRandom('spread')
    const plain = Buffer.concat(parts).map((byte, _, all) => all[Math.floor(random() * all.length)] ?? byte)
    expect(comesBack(plain)).toBe(true)
  })

  test('brings back any mixture', () => {
    const seed = 'mixture 1'
    const random = seededRandom(seed)
    for (let round = 0; round < 60; round++) {
      const plain = Buffer.alloc(Math.floor(random() * 200_000))
      for (let at = 0; at < plain.length;) {
        const length = Math.min(Math.ceil(random() ** 3 * 5_000), plain.length - at)
        const kind = random()
        if (kind < 0.3) seededBytes(`${seed}/${round}/${at}`, length).copy(plain, at)
        else if (kind < 0.5) plain.fill(Math.floor(random() * 256), at, at + length)
        else plain.copy(plain, at, Math.floor(random() * at), at + length)
        at += length
      }
      expect(comesBack(plain), `${seed}, round ${round}`).toBe(true)
    }
  })

  test('does not depend on earlier blocks', () => {
    const plain = seededText('again', 300_000)
    const alone = createDeflate()(plain)
    deflate(seededBytes('before', MiB))
    expect(Buffer.compare(deflate(plain), alone)).toBe(0)
  })

  test('costs less than a hundredth if nothing compresses', () => {
    expect(deflate(seededBytes('noise', MiB)).length).toBeLessThan(MiB * 1.001)
  })

  test('stores bytes that a code would only make longer, wherever they begin', () => {
    for (const before of [0, 1, 1_000, 65_535, 200_001]) {
      const noise = seededBytes('noise', 300_000)
      const plain = Buffer.concat([seededText('before', before), noise, seededText('after', 70_000)])
      expect(comesBack(plain)).toBe(true)
      expect(deflate(plain).length).toBeGreaterThan(noise.length)
    }
  })

  test('finds nothing further back than the block begins, nor in the block before it', () => {
    const word = seededBytes('word', 256)
    deflate(Buffer.concat([seededBytes('gap', MiB - 256), word]))
    for (const at of [0, 1, 31, 32_768, 65_535, 65_536, 65_537]) {
      expect(comesBack(Buffer.concat([seededBytes('fill', at), word, word]))).toBe(true)
    }
  })

  test('refuses more than a block', () => {
    expect(() => deflate(new Uint8Array(MiB + 1))).toThrow(RangeError)
  })
})

test('the kernel equals the compiled source', async () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const {code, stderr} = await runChild(process.execPath, ['assembly/compile.mjs', '--check'], {cwd})
  expect({code, stderr}).toEqual({code: 0, stderr: ''})
})

test.each([2, 3, 7, 12])('codes limited to %i bits are complete', (limit) => {
  const random = seededRandom('codes')
  for (let round = 0; round < 200; round++) {
    const size = 2 ** limit - Math.floor(random() * 2 ** limit)
    const frequencies = Int32Array.from({length: Math.max(2, Math.min(size, 286))}, () =>
      Math.floor(random() ** 8 * 100_000),
    )
    const lengths = codeLengths(frequencies, limit)
    const kraft = lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0)
    expect(kraft).toBe(1)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(limit)
    const missing = frequencies.findIndex((count, symbol) => count > 0 && lengths[symbol] === 0)
    expect(missing).toBe(-1)
  }
})

test('the CRCs of two parts join to that of the whole', () => {
  const bytes = seededBytes('crc', 100_003)
  for (const cut of [0, 1, 7, 4096, 100_002, 100_003]) {
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)]
    expect(joinCrc32(crc32(first), crc32(second), second.length)).toBe(crc32(bytes))
  }
})
