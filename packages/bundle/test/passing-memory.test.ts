import {digestOf, type Descriptor} from '@airgap-mirror/oci-client/model'
import {seededBytes} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {PassingBlob} from '#src/passing/passing-blob.js'
import {SLAB_BYTES, Slabs} from '#src/passing/slabs.js'

const memory = new Slabs()
const content = seededBytes('passing-memory', 6 * SLAB_BYTES + 1000)

function blobOf(bytes: Uint8Array): PassingBlob {
  const descriptor: Descriptor = {mediaType: 'x', digest: digestOf(bytes), size: bytes.length}
  return new PassingBlob(descriptor, {index: 0, memory})
}

/** Adds content in pieces of an odd size, as a stream may give it. */
function addTo(blob: PassingBlob, bytes: Uint8Array, size = 700_001): void {
  for (let at = 0; at < bytes.length; at += size) blob.add(bytes.subarray(at, at + size))
}

function readOf(blob: PassingBlob, offset = 0): Buffer {
  const parts: Uint8Array[] = []
  for (let at = offset; at < blob.size;) {
    const part = blob.from(at)
    if (part === undefined) throw new Error(`nothing at ${at}`)
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts)
}

test('a passing blob gives its content from any offset, in chunks of up to a slab', () => {
  const blob = blobOf(content)
  addTo(blob, content)
  for (const offset of [0, 1, SLAB_BYTES - 1, SLAB_BYTES, 3 * SLAB_BYTES + 17, content.length - 1]) {
    expect(readOf(blob, offset).equals(content.subarray(offset))).toBe(true)
  }
  expect([blob.from(content.length), blob.isWhole, blob.held]).toEqual([undefined, true, 7 * SLAB_BYTES])
  blob.dropAll()
  expect([blob.from(0), blob.isWhole, blob.held]).toEqual([undefined, false, 0])
})

test('memory that was read is used for other content, but for the last 2 MiB before the slowest reader', () => {
  const blob = blobOf(content)
  addTo(blob, content)
  const fast = {position: 5 * SLAB_BYTES}
  const slow = {position: 4 * SLAB_BYTES + 10}
  blob.readers.add(fast)
  blob.readers.add(slow)
  blob.reached(fast.position)
  const lent = blob.from(2 * SLAB_BYTES)
  expect(blob.dropRead()).toBe(2 * SLAB_BYTES)
  expect(blob.dropRead()).toBe(0)
  const other = blobOf(Buffer.alloc(4 * SLAB_BYTES, 1))
  addTo(other, Buffer.alloc(4 * SLAB_BYTES, 1))
  expect(Buffer.from(lent ?? []).equals(content.subarray(2 * SLAB_BYTES, 3 * SLAB_BYTES))).toBe(true)
  expect(blob.from(2 * SLAB_BYTES - 1)).toBeUndefined()
  expect(readOf(blob, 2 * SLAB_BYTES).equals(content.subarray(2 * SLAB_BYTES))).toBe(true)
})

test('one blob after the other takes no new memory', () => {
  const own = new Slabs()
  const seen = new Set<ArrayBufferLike>()
  for (let index = 0; index < 20; index += 1) {
    const blob = new PassingBlob(
      {mediaType: 'x', digest: digestOf(content), size: content.length},
      {index, memory: own},
    )
    addTo(blob, content)
    for (let at = 0; at < content.length; at += SLAB_BYTES)
      seen.add(blob.from(at)?.buffer ?? new ArrayBuffer(0))
    blob.dropAll()
  }
  expect(seen.size).toBe(7)
})

test('a small blob takes no more memory than its size, and can be added to after it was dropped', () => {
  const blob = blobOf(content.subarray(0, 1000))
  blob.add(content.subarray(0, 400))
  expect(blob.held).toBe(1000)
  blob.dropAll()
  blob.add(content.subarray(400, 1000))
  expect([blob.from(0), blob.isWhole]).toEqual([undefined, false])
  expect(Buffer.from(blob.from(400) ?? []).equals(content.subarray(400, 1000))).toBe(true)
})
