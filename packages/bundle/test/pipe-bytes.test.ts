import {execFileSync} from 'node:child_process'
import {constants, openSync} from 'node:fs'
import {open, type FileHandle} from 'node:fs/promises'
import {Socket} from 'node:net'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {makeTempDir, seededBytes} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {pipeBytes, pipeOf} from '#src/bytes/pipe-bytes.js'

const MiB = 1024 * 1024

interface Pipe extends AsyncDisposable {
  /** The end to read from. Node.js closes it. */
  readonly fd: number
  readonly writer: FileHandle
}

/** A pipe of the system. Linux opens a FIFO for reading and writing at once without a wait. */
async function makePipe(): Promise<Pipe> {
  const directory = await makeTempDir()
  const path = join(directory.path, 'pipe')
  execFileSync('mkfifo', [path])
  const both = await open(path, constants.O_RDWR)
  const fd = openSync(path, constants.O_RDONLY)
  const writer = await open(path, constants.O_WRONLY)
  await both.close()
  return {
    fd,
    writer,
    [Symbol.asyncDispose]: async () => {
      await writer.close().catch(() => undefined)
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function write({writer}: Pipe, content: Uint8Array): Promise<void> {
  for (let at = 0; at < content.length;) at += (await writer.write(content, at)).bytesWritten
  await writer.close()
}

test.each([true, false])(
  'a pipe is read whole and in order; its chunks are used again only if the reader allows it: %s',
  async (isReused) => {
    await using pipe = await makePipe()
    const content = seededBytes('pipe', 8 * MiB + 12_345)
    const writing = write(pipe, content)
    const buffers = new Set<ArrayBufferLike>()
    const kept: Buffer[] = []
    const copies: Buffer[] = []
    for await (const chunk of pipeBytes(pipe.fd, {reuseChunks: () => isReused})) {
      buffers.add(chunk.buffer)
      kept.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
      copies.push(Buffer.from(chunk))
    }
    await writing
    expect(Buffer.concat(copies).equals(content)).toBe(true)
    expect(Buffer.concat(kept).equals(content)).toBe(!isReused)
    expect(buffers.size <= 2).toBe(isReused)
  },
)

test('the reader may begin to allow it in the middle, and what it had before stays', async () => {
  await using pipe = await makePipe()
  const content = seededBytes('pipe-middle', 6 * MiB)
  const writing = write(pipe, content)
  const kept: Buffer[] = []
  let read = 0
  let wrong = 0
  for await (const chunk of pipeBytes(pipe.fd, {reuseChunks: () => read > 3 * MiB})) {
    if (read < 2 * MiB) kept.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
    wrong += content.compare(chunk, 0, chunk.length, read, read + chunk.length) === 0 ? 0 : 1
    read += chunk.length
  }
  await writing
  const before = Buffer.concat(kept)
  expect({read, wrong, isKept: before.equals(content.subarray(0, before.length))}).toEqual({
    read: content.length,
    wrong: 0,
    isKept: true,
  })
})

test('the few bytes of a slow writer are handed over before more come', async () => {
  await using pipe = await makePipe()
  const chunks = pipeBytes(pipe.fd, {reuseChunks: () => true})[Symbol.asyncIterator]()
  for (const text of ['one', 'two', 'three']) {
    const next = chunks.next()
    await pipe.writer.write(text)
    expect(Buffer.from((await next).value as Uint8Array).toString()).toBe(text)
  }
  await pipe.writer.close()
  expect(await chunks.next()).toEqual({done: true, value: undefined})
})

test('an abort ends the reading of a pipe that gives nothing', async () => {
  await using pipe = await makePipe()
  const abort = new AbortController()
  const chunks = pipeBytes(pipe.fd, {signal: abort.signal, reuseChunks: () => true})[Symbol.asyncIterator]()
  const next = chunks.next()
  setImmediate(() => abort.abort())
  expect(await next).toEqual({done: true, value: undefined})
  const late = pipeBytes(0, {signal: abort.signal, reuseChunks: () => true})[Symbol.asyncIterator]()
  expect(await late.next()).toEqual({done: true, value: undefined})
})

test('a reader that leaves closes the pipe, and its writer learns of it', async () => {
  await using pipe = await makePipe()
  await pipe.writer.write('begun')
  for await (const chunk of pipeBytes(pipe.fd, {reuseChunks: () => true})) {
    expect(Buffer.from(chunk).toString()).toBe('begun')
    break
  }
  await expect(pipe.writer.write('more')).rejects.toMatchObject({code: 'EPIPE'})
})

test('only a socket or pipe with a descriptor, from which nothing was read, is read by its descriptor', async () => {
  await using pipe = await makePipe()
  const stream = new Socket({fd: pipe.fd, readable: true, writable: false})
  expect(pipeOf(stream)).toBeUndefined()
  Object.assign(stream, {fd: pipe.fd})
  expect(pipeOf(stream)).toBe(pipe.fd)
  const first = new Promise((resolve) => stream.once('data', resolve))
  await pipe.writer.write('begun')
  await first
  expect(pipeOf(stream)).toBeUndefined()
  stream.destroy()
  expect(pipeOf(Readable.from([]))).toBeUndefined()
})
