import * as fc from 'fast-check'
import {expect, test} from 'vitest'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import {
  compress,
  makeTempDir,
  seededBytes,
  seededText,
  tarBytes,
  type Compression,
  type Entry,
  timesTried,
} from '@airgap-mirror/test/kit'
import {openBytes, type OpenBytesOptions} from '#src/unpack/open-bytes.js'
import {indexTar} from '#src/tar/index-tar.js'
import {collect, writeTo} from './fixtures/packed.js'

const KiB = 1024
const seed = Number(process.env['MIRROR_TEST_SEED'] ?? 20261121)

const members = fc.array(
  fc.record({
    name: fc.string({
      minLength: 1,
      maxLength: 150,
      unit: fc.constantFrom('a', 'b', 'c', '/', 'é', '.', '-', '_'),
    }),
    size: fc.oneof(fc.nat(2000), fc.constantFrom(0, 1, 511, 512, 513), fc.integer({min: 1, max: 150_000})),
    compressible: fc.boolean(),
  }),
  {minLength: 1, maxLength: 12},
)

const compressions: fc.Arbitrary<Compression> = fc.oneof(
  fc.record({
    type: fc.constant('xz' as const),
    blockSize: fc.integer({min: 4 * KiB, max: 200 * KiB}),
    streamSize: fc.integer({min: 30 * KiB, max: 500 * KiB}),
    padding: fc.constantFrom(0, 4, 64),
  }),
  fc.record({type: fc.constant('xz' as const)}),
  fc.record({type: fc.constant('gzip' as const), memberSize: fc.integer({min: 5 * KiB, max: 400 * KiB})}),
  fc.record({type: fc.constant('zstd' as const), frameSize: fc.integer({min: 5 * KiB, max: 400 * KiB})}),
  fc.record({type: fc.constant('none' as const)}),
)

const options: fc.Arbitrary<OpenBytesOptions> = fc.record({
  scratch: fc.constantFrom('never' as const, undefined),
  memoryBudget: fc.integer({min: 1, max: 300 * KiB}),
  threads: fc.integer({min: 1, max: 4}),
})

interface Access {
  readonly at: number
  readonly length: number
  readonly how: 'read' | 'stream' | 'leave'
}

const accesses: fc.Arbitrary<readonly Access[]> = fc.array(
  fc.record({
    at: fc.double({min: 0, max: 1, noNaN: true}),
    length: fc.oneof(fc.nat(1000), fc.nat(400 * KiB)),
    how: fc.constantFrom('read' as const, 'stream' as const, 'leave' as const),
  }),
  {minLength: 1, maxLength: 16},
)

/** Returns all chunks, or only the first for a reader that leaves. */
async function some(bytes: Bytes, how: Access['how']): Promise<Uint8Array> {
  if (how === 'stream') return collect(bytes)
  for await (const chunk of bytes) return chunk
  return new Uint8Array()
}

test('any tar in any shape, read by many at once in any order, has its original bytes', async () => {
  await using directory = await makeTempDir()
  const property = fc.asyncProperty(members, compressions, options, accesses, async (...given) => {
    const [files, compression, opening, reads] = given
    const entries = files.map(({name, size, compressible}, index): Entry => ({
      path: `${index}/${name.replaceAll('..', '.')}x`,
      bytes: (compressible ? seededText : seededBytes)(`${index}${name}`, size),
    }))
    const tar = await tarBytes(entries)
    const path = await writeTo(directory.path, 'any', await compress(tar, compression))
    await using source = await openBytes({path}, opening)
    const tarIndex = await indexTar(source)
    for (const entry of entries) {
      const found = tarIndex.find(entry.path)
      const bytes = 'bytes' in entry ? Buffer.from(entry.bytes) : Buffer.alloc(0)
      expect(found && tar.subarray(found.offset, found.offset + found.size).equals(bytes)).toBe(true)
    }
    await Promise.all(
      reads.map(async ({at, length, how}) => {
        const offset = Math.floor(at * tar.length)
        const available = Math.min(length, tar.length - offset)
        const wanted = tar.subarray(offset, offset + available)
        const got = how === 'read' ? source.read(offset, length) : some(source.stream(offset, available), how)
        // A reader that leaves early gets the beginning of the range.
        const end = how === 'leave' ? (await got).length : wanted.length
        expect(wanted.subarray(0, end).equals(await got)).toBe(true)
      }),
    )
    expect(await source.size()).toBe(tar.length)
  })
  await fc.assert(property, {seed, numRuns: timesTried(20), endOnFailure: true})
})
