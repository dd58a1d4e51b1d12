import {beforeZeros} from './before-zeros.js'
import type {HostileCase} from './hostile-case.js'
import {image, layoutOf} from './raw-image.js'
import {tar, TRAILER} from './raw-tar.js'
import {storedBlock, vli, xzStream, zeroBlock} from './raw-xz.js'

const MiB = 2 ** 20
const GiB = 2 ** 30
const good = tar(layoutOf(image('good'), 'app:v1'))
const WHOLE = 'app:v1 whole'
function repeated(part: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({length: times}, () => part))
}

const goodXz = storedBlock(good)
const halves = [storedBlock(good.subarray(0, 1024)), storedBlock(good.subarray(1024))]
function records(...pairs: readonly (readonly [bigint, bigint])[]) {
  return pairs.map(([unpadded, plain]) => ({unpadded, plain}))
}
const trueSize = BigInt(goodXz.bytes.length)
const truePlain = BigInt(good.length)

function xzCase(
  name: string,
  made: string,
  expected: string | RegExp,
  make: HostileCase['make'],
): HostileCase {
  return {
    name,
    made,
    make,
    expected,
  }
}
function lying(options: Parameters<typeof xzStream>[1]) {
  return (): Buffer => xzStream([goodXz], options)
}
const DAMAGED = /^SOURCE_(?:CORRUPT|TRUNCATED)$/
const REFUSED = /^(?:SOURCE_(?:CORRUPT|TRUNCATED)|LIMIT_EXCEEDED)$/

export const xzCases: readonly HostileCase[] = [
  xzCase('an xz bomb in one block', '320 MiB of zeros in one block of 47 KB', WHOLE, async () =>
    xzStream([await zeroBlock(20, {before: beforeZeros(320 * MiB)}), storedBlock(TRAILER)]),
  ),
  xzCase(
    'an xz bomb of two huge blocks',
    'two blocks of 208 MiB each, which could be decoded alone',
    WHOLE,
    async () => {
      const first = await zeroBlock(13, {before: beforeZeros(26 * 16 * MiB)})
      return xzStream([first, await zeroBlock(13), storedBlock(TRAILER)])
    },
  ),
  xzCase(
    'an xz dictionary of 4 GiB',
    'a block header that asks for it, over 1 GiB of zeros',
    'LIMIT_EXCEEDED',
    async () =>
      xzStream([await zeroBlock(64, {before: beforeZeros(GiB), dictionary: 40}), storedBlock(TRAILER)]),
  ),
  xzCase(
    'an xz dictionary of 4 GiB in a second block',
    'the first block is harmless',
    'LIMIT_EXCEEDED',
    async () =>
      xzStream([storedBlock(beforeZeros(GiB)), await zeroBlock(64, {dictionary: 40}), storedBlock(TRAILER)]),
  ),
  xzCase(
    'an xz dictionary size that is none',
    'LZMA2 dictionary 63',
    /^SOURCE_(?:UNSUPPORTED|CORRUPT)$/,
    () => xzStream([storedBlock(good, {dictionary: 63})]),
  ),
  xzCase(
    'an Index that promises more',
    'the record says one byte more',
    DAMAGED,
    lying({records: records([trueSize, truePlain + 1n])}),
  ),
  xzCase(
    'an Index that promises less',
    'the record says 512 bytes',
    DAMAGED,
    lying({records: records([trueSize, 512n])}),
  ),
  xzCase(
    'an Index that promises petabytes',
    'the record says 2^50 bytes',
    DAMAGED,
    lying({records: records([trueSize, 2n ** 50n])}),
  ),
  xzCase(
    'an Index that promises 2^62',
    'the record says 2^62 bytes',
    REFUSED,
    lying({records: records([trueSize, 2n ** 62n])}),
  ),
  xzCase('a number of 2^63', 'ten bytes of VLI', REFUSED, lying({records: records([trueSize, 2n ** 63n])})),
  xzCase(
    'records whose sum overflows',
    'a thousand records of 2^52 packed bytes',
    REFUSED,
    lying({records: records(...Array.from({length: 1000}, () => [2n ** 52n, 1n] as const))}),
  ),
  xzCase('plain sizes whose sum overflows', 'two records of 2^53 - 1 plain bytes', REFUSED, () =>
    xzStream(halves, {
      records: halves.map(({bytes}) => ({unpadded: BigInt(bytes.length), plain: 2n ** 53n - 1n})),
    }),
  ),
  xzCase('an Index with more records than bytes', 'the count says 2^40', REFUSED, lying({count: 2n ** 40n})),
  xzCase('an Index with fewer records than it says', 'the count says 2', REFUSED, lying({count: 2n})),
  xzCase(
    'a VLI with a zero at its end',
    '0x80 0x00 for zero',
    REFUSED,
    lying({rawRecords: Buffer.concat([vli(trueSize), Buffer.of(0x80, 0)])}),
  ),
  xzCase('a block of no bytes', 'an unpadded size of 0', REFUSED, lying({records: records([0n, truePlain])})),
  xzCase('a footer that points before the file', 'an Index of 16 GiB', DAMAGED, lying({indexBytes: 2 ** 34})),
  xzCase('a footer that points into the data', 'an Index of 64 bytes', DAMAGED, lying({indexBytes: 64})),
  xzCase('a footer with other flags', 'it says that blocks have a CRC64', DAMAGED, lying({footerFlags: 4})),
  xzCase('a footer with reserved flags', 'check 0x1f', DAMAGED, lying({footerFlags: 0x1f})),
  xzCase('garbage in the padding', 'zeros, a seven, zeros after the stream', DAMAGED, () =>
    Buffer.concat([xzStream([goodXz]), Buffer.alloc(400), Buffer.of(7, 0, 0, 0)]),
  ),
  xzCase('padding of another length', 'three zeros after the stream', DAMAGED, () =>
    Buffer.concat([xzStream([goodXz]), Buffer.alloc(3)]),
  ),
  xzCase('much padding', '40 MB of zeros after the stream', WHOLE, () =>
    Buffer.concat([xzStream([goodXz]), Buffer.alloc(40 * MiB)]),
  ),
  xzCase('a flood of empty blocks', '200,000 records of blocks without content', WHOLE, () => {
    const empty = storedBlock(Buffer.alloc(0))
    return xzStream([...halves, ...Array.from({length: 200_000}, () => empty)])
  }),
  xzCase('a flood of empty streams', '6,000 streams of nothing around the archive', WHOLE, () => {
    const empty = repeated(xzStream([]), 3000)
    return Buffer.concat([empty, xzStream([goodXz]), empty])
  }),
  xzCase('streams over the limit', '21,000 streams of nothing', 'LIMIT_EXCEEDED', () =>
    Buffer.concat([xzStream([goodXz]), repeated(xzStream([]), 21_000)]),
  ),
  xzCase('a flood of tiny blocks', '20,000 blocks of 512 zeros', WHOLE, () => {
    const tiny = storedBlock(Buffer.alloc(512))
    return xzStream([
      storedBlock(beforeZeros(20_000 * 512)),
      ...Array.from({length: 20_000}, () => tiny),
      storedBlock(TRAILER),
    ])
  }),
  xzCase(
    'streams in the wrong order',
    'the first stream begins in the middle of the archive',
    'app:v1 BLOB_MISSING',
    () => Buffer.concat([xzStream([halves[1] ?? goodXz]), xzStream([halves[0] ?? goodXz])]),
  ),
]
