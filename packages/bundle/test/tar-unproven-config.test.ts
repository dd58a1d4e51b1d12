import {compress, makeTempDir, seededBytes, tarBytes} from '@airgap-mirror/test/kit'
import {digestOf, hexOf} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {openBytes} from '#src/unpack/open-bytes.js'
import {indexTar, type TarIndex} from '#src/tar/index-tar.js'
import {readBlockTable} from '#src/codecs/xz/block-table.js'
import {failureOf, writeTo} from './fixtures/packed.js'

const KiB = 1024
const config = Buffer.from(JSON.stringify({architecture: 'amd64', rootfs: {type: 'layers', diff_ids: []}}))
const named = `${hexOf(digestOf(config))}.json`

/** Returns the index of a docker-archive in blocks of 1 MiB. Its first block, with the config, has a wrong checksum. */
async function indexOf(path: string): Promise<{readonly index: TarIndex; readonly decoded: number}> {
  await using directory = await makeTempDir()
  const tar = await tarBytes([
    {path, bytes: config},
    {path: 'layer.tar', bytes: seededBytes('layer', 3000 * KiB)},
  ])
  const packed = Buffer.from(await compress(tar, {type: 'xz', blockSize: 1024 * KiB}))
  const {blocks} = await readBlockTable({
    name: 'bundle',
    size: packed.length,
    read: async (offset, length) => packed.subarray(offset, offset + length),
  })
  const checksum = (blocks[0]?.packedOffset ?? 0) + (blocks[0]?.unpaddedSize ?? 0) - 1
  packed.writeUInt8(packed.readUInt8(checksum) ^ 1, checksum)
  await using source = await openBytes({path: await writeTo(directory.path, 'bundle.tar.xz', packed)})
  return {index: await indexTar(source), decoded: source.usage.decoded}
}

test('a config with the digest of its name is read without proving its block', async () => {
  const {index, decoded} = await indexOf(named)
  expect(Buffer.from(index.find(named)?.captured ?? []).equals(config)).toBe(true)
  // Only the first and the last block are decoded, and each only up to the requested bytes.
  expect(decoded).toBeLessThanOrEqual(2 * 1024 * KiB)
})

test.each([`${'0'.repeat(64)}.json`, 'config.json'])(
  'any other config is read only after the checksum of its block: %s',
  async (path) => {
    expect(await failureOf(indexOf(path))).toBe('SOURCE_CORRUPT')
  },
)
