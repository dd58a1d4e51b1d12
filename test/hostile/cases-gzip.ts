import {gzipSync} from 'node:zlib'
import {beforeZeros} from './before-zeros.js'
import type {HostileCase} from './hostile-case.js'
import {image, layoutOf} from './raw-image.js'
import {tar, TRAILER} from './raw-tar.js'

const MiB = 2 ** 20
const GiB = 2 ** 30
const good = tar(layoutOf(image('good'), 'app:v1'))
const WHOLE = 'app:v1 whole'

function zeros64(): Buffer {
  return gzipSync(Buffer.alloc(64 * MiB), {level: 9})
}
function repeated(part: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({length: times}, () => part))
}

const gzipGood = gzipSync(good)
function gzipHeader(flags: number, extra: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3), extra, gzipGood.subarray(10)])
}

/** Compressed data that is made to cost more than it weighs, or whose tables lie. */
export const gzipCases: readonly HostileCase[] = [
  {
    name: 'a gzip bomb',
    made: '1 GiB of zeros in 1 MB',
    make: () => Buffer.concat([gzipSync(beforeZeros(GiB)), repeated(zeros64(), 16), gzipSync(TRAILER)]),
    expected: WHOLE,
  },
  {
    name: 'a flood of empty gzip members',
    made: '500,000 members of nothing around the archive',
    make: () => {
      const empty = repeated(gzipSync(Buffer.alloc(0)), 250_000)
      return Buffer.concat([gzipSync(good.subarray(0, 512)), empty, gzipSync(good.subarray(512)), empty])
    },
    expected: WHOLE,
  },
  {
    name: 'garbage after gzip',
    made: '1 MB of sevens after the member',
    make: () => Buffer.concat([gzipGood, Buffer.alloc(MiB, 7)]),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'zeros after gzip',
    made: '1 MB of padding after the member, as tapes have it',
    make: () => Buffer.concat([gzipGood, Buffer.alloc(MiB)]),
    expected: WHOLE,
  },
  {
    name: 'half a member after gzip',
    made: 'the magic of gzip and then nothing good',
    make: () => Buffer.concat([gzipGood, Buffer.of(0x1f, 0x8b, 8, 0xff, 0, 0, 0, 0, 0, 0)]),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'gzip with an extra field',
    made: 'FEXTRA of 64 KiB',
    make: () => gzipHeader(4, Buffer.concat([Buffer.of(0xff, 0xff), Buffer.alloc(0xffff, 1)])),
    expected: WHOLE,
  },
  {
    name: 'gzip with a name without end',
    made: 'FNAME of 20 MB',
    make: () => gzipHeader(8, Buffer.concat([Buffer.alloc(20 * MiB, 0x61), Buffer.of(0)])),
    expected: WHOLE,
  },
  {
    name: 'gzip with reserved flags',
    made: 'flags 0xe0',
    make: () => gzipHeader(0xe0, Buffer.alloc(0)),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a gzip checksum that lies',
    made: 'another CRC at the end',
    make: () => Buffer.concat([gzipGood.subarray(0, -8), Buffer.alloc(4, 9), gzipGood.subarray(-4)]),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a gzip size that lies',
    made: 'ISIZE says 4 GiB',
    make: () => Buffer.concat([gzipGood.subarray(0, -4), Buffer.alloc(4, 0xff)]),
    expected: 'SOURCE_CORRUPT',
  },
]
