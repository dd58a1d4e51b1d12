import {expect, test} from 'vitest'
import {indexTar} from '#src/tar/index-tar.js'
import {errorOf} from './fixtures/opened.js'
import {memorySource} from './fixtures/packed.js'
import {member, trailer} from './fixtures/tar-blocks.js'

type Pair = readonly [offset: number, length: number]

function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`
}

function writePairs(block: Buffer, at: number, pairs: readonly Pair[]): void {
  for (const [index, [offset, length]] of pairs.entries())
    block.write(`${octal(offset)}${octal(length)}`, at + 24 * index, 'latin1')
}

/** Returns a member of GNU's old sparse format (GNU tar's tar.h, struct oldgnu_header) with one block behind its header. */
function sparseMember({
  first,
  second,
  content,
}: {
  readonly first: readonly Pair[]
  readonly second: readonly Pair[]
  readonly content: string
}): Buffer {
  const bytes = member({path: 'x', type: 'S', magic: 'ustar  \0'}, content)
  writePairs(bytes, 386, first)
  bytes[482] = 1
  bytes.write(octal(10_000), 483, 'latin1')
  bytes.write('        ', 148)
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const continued = Buffer.alloc(512)
  writePairs(continued, 0, second)
  return Buffer.concat([bytes.subarray(0, 512), continued, bytes.subarray(512)])
}

const first: readonly Pair[] = [
  [0, 1],
  [2000, 1],
]
const second: readonly Pair[] = [[9000, 2]]

test('a sparse file whose map goes on behind its header has all of its parts', async () => {
  const source = memorySource(Buffer.concat([sparseMember({first, second, content: 'abcd'}), trailer]))
  const index = await indexTar(source)
  expect(index.entries).toMatchObject([{path: 'x', size: 10_000}])
  const entry = index.find('x')
  expect(entry?.segments).toEqual([
    expect.objectContaining({at: 0, length: 1}),
    expect.objectContaining({at: 2000, length: 1}),
    expect.objectContaining({at: 9000, length: 2}),
  ])
})

test.each([
  ['goes on in a block without parts', sparseMember({first, second: [], content: 'ab'})],
  ['has more bytes than are stored', sparseMember({first, second: [[9000, 3]], content: 'abcd'})],
  ['has parts out of order', sparseMember({first, second: [[1, 2]], content: 'abcd'})],
  ['ends before its next block', sparseMember({first, second, content: ''}).subarray(0, 512)],
])('a sparse file is damaged if its map %s', async (_what, bytes) => {
  const error = await errorOf(indexTar(memorySource(bytes)))
  expect(error).toMatchObject({code: 'SOURCE_CORRUPT', message: expect.stringContaining('sparse file')})
})
