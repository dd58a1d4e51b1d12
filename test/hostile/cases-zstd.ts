import type {HostileCase} from './hostile-case.js'
import {image, layoutOf} from './raw-image.js'
import {beforeZeros} from './before-zeros.js'
import {tar, TRAILER} from './raw-tar.js'
import {rawBlocks, reservedBlock, skippableFrame, zeroBlocks, zstdFrame} from './raw-zstd.js'

const GiB = 2 ** 30
const good = tar(layoutOf(image('good'), 'app:v1'))
const WHOLE = 'app:v1 whole'
function repeated(part: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({length: times}, () => part))
}

const frame = zstdFrame(rawBlocks(good))

export const zstdCases: readonly HostileCase[] = [
  {
    name: 'a zstd bomb',
    made: '1 GiB of zeros in 32 KB of repeated bytes',
    make: () => zstdFrame([...rawBlocks(beforeZeros(GiB)), ...zeroBlocks(GiB), ...rawBlocks(TRAILER)]),
    expected: WHOLE,
  },
  {
    name: 'a zstd window of terabytes',
    made: 'window descriptor 0xff',
    make: () => zstdFrame(rawBlocks(good), {header: Buffer.of(0xff)}),
    expected: 'SOURCE_UNSUPPORTED',
  },
  {
    name: 'a zstd segment of 2^63 bytes',
    made: 'single segment, content size 2^63',
    make: () =>
      zstdFrame(rawBlocks(good), {descriptor: 0xe0, header: Buffer.from('0000000000000080', 'hex')}),
    expected: 'SOURCE_UNSUPPORTED',
  },
  {
    name: 'a zstd content size that lies',
    made: 'single segment, content size 4 bytes',
    make: () => zstdFrame(rawBlocks(good), {descriptor: 0x20, header: Buffer.of(4)}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a zstd dictionary that nobody has',
    made: 'dictionary 7',
    make: () => zstdFrame(rawBlocks(good), {descriptor: 1, header: Buffer.of(7 << 3, 7)}),
    expected: 'SOURCE_UNSUPPORTED',
  },
  {
    name: 'reserved bits of a zstd header',
    made: 'bit 3 of the descriptor',
    make: () => zstdFrame(rawBlocks(good), {descriptor: 8}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a reserved zstd block',
    made: 'block type 3',
    make: () => zstdFrame([...rawBlocks(good), reservedBlock()]),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a flood of skippable frames',
    made: '100,000 of nothing before the archive',
    make: () => Buffer.concat([repeated(skippableFrame(0), 100_000), frame]),
    expected: WHOLE,
  },
  {
    name: 'skippable frames over the limit',
    made: '600,000 of nothing before the archive',
    make: () => Buffer.concat([repeated(skippableFrame(0), 600_000), frame]),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a skippable frame of 4 GiB',
    made: 'the frame says so and the file ends',
    make: () => Buffer.concat([frame, skippableFrame(0xffff_ffff, Buffer.alloc(1000))]),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: 'a seek table that lies',
    made: 'a skippable frame that speaks of frames of petabytes, as the seekable format has it',
    make: () =>
      Buffer.concat([
        frame,
        skippableFrame(17, Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('ffffffff00b1ea928f', 'hex')])),
      ]),
    expected: WHOLE,
  },
  {
    name: 'a flood of empty zstd frames',
    made: '2,000 frames of nothing before the archive',
    make: () => Buffer.concat([repeated(zstdFrame([]), 2000), frame]),
    expected: WHOLE,
  },
  {
    name: 'a flood of empty zstd blocks',
    made: '100,000 blocks of nothing before the archive',
    make: () => zstdFrame([...Array.from({length: 100_000}, () => Buffer.alloc(3)), ...rawBlocks(good)]),
    expected: WHOLE,
  },
  {
    name: 'garbage after zstd',
    made: '100 sevens after the frame',
    make: () => Buffer.concat([frame, Buffer.alloc(100, 7)]),
    expected: 'SOURCE_CORRUPT',
  },
]
