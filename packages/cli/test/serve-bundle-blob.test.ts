import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {openBundle} from '@airgap-mirror/bundle'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage, ociLayout, withTempDir, writeDirectory} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {BundleBlob} from '#src/commands/serve/content/bundle-blob.js'
import {ReadingTurns} from '#src/commands/serve/content/reading-turns.js'

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

test('a served blob is held to its digest when it is first read whole, and not again', () =>
  withTempDir(async (directory) => {
    const image = await makeImage({seed: 'served blob', layers: 1, layerSize: 300_000})
    await writeDirectory(directory, ociLayout([{image}]))
    const layer = image.platforms[0]?.layers[0]
    if (layer === undefined) throw new Error('no layer')
    const {bytes, descriptor} = layer
    const file = join(directory, 'blobs/sha256', hexOf(descriptor.digest))
    const damage = async (): Promise<void> => {
      const damaged = await readFile(file)
      const middle = damaged.length >> 1
      damaged[middle] = (damaged[middle] ?? 0) ^ 1
      await writeFile(file, damaged)
    }
    await using source = await openBundle(directory)
    await source.images()
    const {size} = descriptor
    const open = (): BundleBlob => new BundleBlob(descriptor, {size, source, turns: new ReadingTurns(1)})
    const whole = {start: 0, end: size}
    await damage()
    await expect(readAll(open().read(whole, {}))).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
    await damage()
    const blob = open()
    expect((await readAll(blob.read({start: 7, end: 9}, {}))).equals(bytes.subarray(7, 9))).toBe(true)
    for (const reuseChunks of [false, true])
      expect((await readAll(blob.read(whole, {reuseChunks}))).equals(bytes)).toBe(true)
    await damage()
    expect(await readAll(blob.read(whole, {}))).toHaveLength(size)
    // If several readers come first, a single one checks. If it leaves, the next reader does.
    const other = open()
    const leaving = other.read(whole, {})
    await leaving.next()
    expect(await readAll(other.read(whole, {}))).toHaveLength(size)
    await leaving.return(undefined)
    await expect(readAll(other.read(whole, {}))).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  }))
