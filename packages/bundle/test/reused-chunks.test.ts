import {gzipSync} from 'node:zlib'
import {digestOf, mediaTypes, type Bytes} from '@airgap-mirror/oci-client/model'
import {compress, makeTempDir, seededText} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {openBytes} from '#src/unpack/open-bytes.js'
import {passThrough} from '#src/compress/pass-through.js'
import type {StoredFile} from '#src/files/file-tree.js'
import {pendingBlob} from '#src/contents/blob-content.js'
import {collect, writeTo} from './fixtures/packed.js'

const KiB = 1024
const layer = seededText('reused', 900 * KiB)

/** Returns a file whose chunks are overwritten at the next request, if its reader allows that. */
function reusingFile(content: Uint8Array): StoredFile {
  return {
    name: 'layer.tar',
    size: content.length,
    position: 0,
    read: async (offset, length) => content.slice(offset, offset + length),
    stream: async function* ({reuseChunks = false} = {}): Bytes {
      for (let at = 0; at < content.length; at += 10 * KiB) {
        const chunk = new Uint8Array(content.subarray(at, at + 10 * KiB))
        yield chunk
        if (reuseChunks) chunk.fill(0xff)
      }
    },
    hold: () => () => {},
  }
}

test.each([
  ['plain', layer],
  ['gzipped', gzipSync(layer)],
])('a pending layer that is %s survives that its chunks are used again', async (_how, stored) => {
  const content = {diffId: digestOf(layer), size: stored.length, mediaType: mediaTypes.ociLayer}
  const blob = pendingBlob(content, {file: reusingFile(stored), compress: passThrough})
  expect((await collect(blob.open())).equals(layer)).toBe(true)
})

test('chunks of xz blocks are copies, unless the reader is done with each before the next', async () => {
  await using directory = await makeTempDir()
  const packed = await compress(Buffer.from(layer), {type: 'xz', blockSize: 300 * KiB})
  const path = await writeTo(directory.path, 'layer.xz', packed)
  await using source = await openBytes({path}, {memoryBudget: 600 * KiB})
  const now: Buffer[] = []
  const buffers = new Set<ArrayBufferLike>()
  for await (const chunk of source.stream(0, layer.length, {reuseChunks: true})) {
    now.push(Buffer.from(chunk))
    buffers.add(chunk.buffer)
  }
  expect(Buffer.concat(now).equals(layer)).toBe(true)
  expect(buffers.size).toBeLessThan(now.length)
  expect((await collect(source.stream(0, layer.length))).equals(layer)).toBe(true)
  const read = await source.read(10, 20, {reuseChunks: true})
  await collect(source.stream(0, layer.length, {reuseChunks: true}))
  expect(Buffer.compare(read, layer.subarray(10, 30))).toBe(0)
})
