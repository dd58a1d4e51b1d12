import {limits} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {readSeekTable, seekTable} from '#src/codecs/zstd/seek-table.js'

const frames = [
  {packed: 100, plain: 1000},
  {packed: 23, plain: 4_000_000_000},
]
const content = Buffer.alloc(123, 1)

function sizesIn(file: Uint8Array) {
  return readSeekTable(file.length, async (offset, length) => file.subarray(offset, offset + length))
}

function changed(change: (table: Buffer) => void): Buffer {
  const table = Buffer.from(seekTable(frames))
  change(table)
  return Buffer.concat([content, table])
}

/** A table whose entries have checksums (zstd's seekable_format/zstd_seekable_compression_format.md). */
function withChecksums(): Buffer {
  const table = Buffer.alloc(8 + 2 * 12 + 9)
  table.writeUInt32LE(0x184d2a5e, 0)
  table.writeUInt32LE(table.length - 8, 4)
  for (const [index, {packed, plain}] of frames.entries()) {
    table.writeUInt32LE(packed, 8 + 12 * index)
    table.writeUInt32LE(plain, 12 + 12 * index)
  }
  table.writeUInt32LE(2, table.length - 9)
  table[table.length - 5] = 0x80
  table.writeUInt32LE(0x8f92eab1, table.length - 4)
  return table
}

test('the sizes of frames are read from the seek table at the end of a file', async () => {
  expect(await sizesIn(Buffer.concat([content, seekTable(frames)]))).toEqual(frames)
  expect(await sizesIn(Buffer.concat([content, withChecksums()]))).toEqual(frames)
  expect(await sizesIn(seekTable([]))).toEqual([])
})

test.each([
  ['that is too short', Buffer.alloc(16)],
  ['without a table', Buffer.alloc(200, 1)],
  ['with more bytes than its frames', Buffer.concat([content, content, seekTable(frames)])],
  ['with fewer bytes than its frames', Buffer.concat([content.subarray(1), seekTable(frames)])],
  ['whose table begins before it', changed((table) => table.writeUInt32LE(1_000, table.length - 9))],
  ['whose table has another mark', changed((table) => table.writeUInt32LE(1, 0))],
])('a file %s has no seek table', async (_what, file) => {
  expect(await sizesIn(file)).toBeUndefined()
})

test('a table of more frames than the limit is not read', async () => {
  const footer = Buffer.alloc(9)
  footer.writeUInt32LE(limits.zstdFrames + 1, 0)
  footer.writeUInt32LE(0x8f92eab1, 5)
  const asked: number[] = []
  const read = async (_offset: number, length: number): Promise<Uint8Array> => {
    asked.push(length)
    return footer
  }
  expect(await readSeekTable(100_000_000, read)).toBeUndefined()
  expect(asked).toEqual([9])
})
