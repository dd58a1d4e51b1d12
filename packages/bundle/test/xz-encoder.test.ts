import {createHash} from 'node:crypto'
import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {SPAN_CHANNEL, type Bytes, type SpanMessage} from '@airgap-mirror/oci-client/model'
import {requireTool, runChild, seededBytes, seededText} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {createBundlePacker} from '#src/compress/bundle-packer.js'
import {readBlockTable} from '#src/codecs/xz/block-table.js'
import {inPlaceBytes, InPlace} from '#src/codecs/xz/in-place.js'
import {loadLzmaNativeEncoder} from '#src/codecs/xz/lzma-native-encoder.js'
import {loadNodeLiblzmaEncoder} from '#src/codecs/xz/node-liblzma-encoder.js'

const MiB = 1024 * 1024

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-xz-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

async function* chunked(bytes: Uint8Array, size: number): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function pack(bytes: Uint8Array, {threads = 2, chunk = 65_536} = {}): Promise<Buffer> {
  const packer = createBundlePacker('xz', {threads})
  try {
    const parts: Uint8Array[] = []
    for await (const part of packer.pack(chunked(bytes, chunk))) parts.push(Buffer.from(part))
    return Buffer.concat(parts)
  } finally {
    await packer.close()
  }
}

/** Returns the plain size of each block and the share of its packed form. */
async function blocksOf(packed: Buffer): Promise<readonly string[]> {
  const {blocks} = await readBlockTable({
    name: 'packed',
    size: packed.length,
    read: async (offset, length) => packed.subarray(offset, offset + length),
  })
  return blocks.map(
    ({plainSize, unpaddedSize}) => `${plainSize} ${unpaddedSize < plainSize ? 'compressed' : 'stored'}`,
  )
}

function repeated(bytes: Uint8Array, size: number): Buffer {
  return Buffer.alloc(size, bytes)
}

/** Counts blocks being encoded, until `end` returns the counts. */
function watchSpans(onBegin: () => void = () => {}) {
  const counts = {begun: 0, open: 0, most: 0}
  const watch = (message: unknown): void => {
    const begins = (message as SpanMessage).moment === 'begin'
    counts.open += begins ? 1 : -1
    if (!begins) return
    counts.begun += 1
    counts.most = Math.max(counts.most, counts.open)
    onBegin()
  }
  subscribe(SPAN_CHANNEL, watch)
  return {
    counts,
    end: () => {
      unsubscribe(SPAN_CHANNEL, watch)
      return counts
    },
  }
}

function inPlace(bytes: Uint8Array): InPlace {
  const buffer = new ArrayBuffer(inPlaceBytes(bytes.length))
  new Uint8Array(buffer).set(bytes)
  return new InPlace(buffer, bytes.length)
}

const random = seededBytes('xz-random', 3 * MiB)
const zeros = Buffer.alloc(MiB)

test.each([
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['less than a chunk of incompressible bytes', random.subarray(0, 65_535)],
  ['exactly one chunk', random.subarray(0, 65_536)],
  ['a piece and a byte', Buffer.concat([random.subarray(0, MiB), Buffer.from('x')])],
  ['both kinds in turn', Buffer.concat([zeros, random, zeros, zeros, random.subarray(0, 100)])],
])('xz unpacks %s', async (_, bytes) => {
  const path = join(directory, 'x.xz')
  await writeFile(path, await pack(bytes))
  const {code} = await runChild('bash', ['-c', `xz -dc ${path} > ${directory}/x`])
  expect(code).toBe(0)
  expect(Buffer.compare(await readFile(join(directory, 'x')), bytes)).toBe(0)
})

test('incompressible bytes are stored in blocks of their own, and the rest is compressed', async () => {
  const packed = await pack(Buffer.concat([zeros, random, zeros, zeros]))
  expect(await blocksOf(packed)).toEqual([`${MiB} compressed`, `${3 * MiB} stored`, `${2 * MiB} compressed`])
})

test('a block ends at 8 MiB, so that others can be worked on beside it', async () => {
  const packed = await pack(
    Buffer.concat([repeated(Buffer.from('abc'), 17 * MiB), repeated(random, 9 * MiB)]),
  )
  expect(await blocksOf(packed)).toEqual([
    `${8 * MiB} compressed`,
    `${8 * MiB} compressed`,
    `${MiB} compressed`,
    `${8 * MiB} stored`,
    `${MiB} stored`,
  ])
})

test('the sizes in the headers let xz decode on several processors', async (context) => {
  requireTool(context, 'xz')
  const path = join(directory, 'x.xz')
  await writeFile(path, await pack(Buffer.concat([zeros, random])))
  const {stdout} = await runChild('xz', ['--list', '--verbose', '--verbose', path])
  expect(stdout).toContain('Sizes in headers:  Yes')
})

test('the chunks of the input and the number of threads change nothing', async () => {
  const bytes = Buffer.concat([seededText('xz-text', 300_000), random, zeros])
  const sums = new Set<string>()
  for (const options of [{threads: 1}, {threads: 3}, {chunk: 1_000_003}, {chunk: 7_777_777}]) {
    sums.add(
      createHash('sha256')
        .update(await pack(bytes, options))
        .digest('hex'),
    )
  }
  expect(sums.size).toBe(1)
})

test.for(['pool', 'caller'] as const)(
  'both libraries give the same bytes on the thread %s',
  async (thread, context) => {
    const fast = await loadNodeLiblzmaEncoder(thread)
    const other = await loadLzmaNativeEncoder(thread)
    context.skip(fast === undefined, 'node-liblzma has no binary for this platform')
    const longerThanTheDictionary = repeated(random.subarray(0, 200_000), 5 * MiB)
    for (const bytes of [
      seededText('xz-both', 500_000),
      zeros,
      random.subarray(0, 70_000),
      longerThanTheDictionary,
    ]) {
      expect(await fast?.(inPlace(bytes))).toEqual(await other(inPlace(bytes)))
    }
  },
)

test('the memory of blocks is used again, so that a large bundle takes no more than a small one', async () => {
  const packer = createBundlePacker('xz', {threads: 2})
  const buffers = new Set<ArrayBufferLike>()
  for await (const {buffer, length} of packer.pack(chunked(repeated(random, 70 * MiB), MiB))) {
    if (length > MiB) buffers.add(buffer)
  }
  await packer.close()
  expect(buffers.size).toBe(3)
})

test('as many blocks are encoded at once as there are threads, and the bytes are the same', async () => {
  const bytes = repeated(zeros, 34 * MiB)
  const packed: Buffer[] = []
  for (const threads of [1, 2, 4]) {
    const spans = watchSpans()
    packed.push(await pack(bytes, {threads, chunk: MiB}))
    expect(spans.end()).toEqual({begun: 5, most: threads, open: 0})
  }
  expect(packed[1]).toEqual(packed[0])
  expect(packed[2]).toEqual(packed[0])
})

test('an abort ends the packing without waiting for the worker threads at work', async () => {
  const packer = createBundlePacker('xz', {threads: 4})
  const abort = new AbortController()
  const spans = watchSpans(() => abort.abort())
  const drain = async (): Promise<void> => {
    for await (const _ of packer.pack(chunked(repeated(zeros, 40 * MiB), MiB), {signal: abort.signal}));
  }
  await expect(drain()).rejects.toMatchObject({code: 'CANCELLED'})
  await packer.close()
  expect(spans.end()).toMatchObject({open: 0})
})

test('nothing is encoded any more when the consumer has left', async () => {
  const packer = createBundlePacker('xz', {threads: 2})
  const spans = watchSpans()
  for await (const _ of packer.pack(chunked(repeated(zeros, 40 * MiB), MiB))) {
    if (spans.counts.open > 0) break
  }
  expect(spans.end()).toMatchObject({open: 0})
  await packer.close()
})

test('an error of the input ends the packing', async () => {
  async function* broken(): Bytes {
    yield zeros
    throw new Error('gone')
  }
  const packer = createBundlePacker('xz', {threads: 1})
  const drain = async (): Promise<void> => {
    for await (const _ of packer.pack(broken()));
  }
  await expect(drain()).rejects.toThrow('gone')
  await packer.close()
})

test('an abort ends the packing', async () => {
  const packer = createBundlePacker('xz', {threads: 1})
  const drain = async (): Promise<void> => {
    for await (const _ of packer.pack(chunked(zeros, 1000), {signal: AbortSignal.abort()}));
  }
  await expect(drain()).rejects.toMatchObject({code: 'CANCELLED'})
  await packer.close()
})
