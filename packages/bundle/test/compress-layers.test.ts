import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {gunzipSync, inflateRawSync} from 'node:zlib'
import {requireTool, runChild, seededBytes, seededText} from '@airgap-mirror/test/kit'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import {afterAll, describe, expect, test} from 'vitest'
import {createLayerCompressor, type LayerCompressor} from '#src/compress/layer-compressor.js'

const MiB = 1024 * 1024
const blockBytes = {gzip: MiB, zstd: 2 * MiB}

function compiled(path: string): URL {
  return new URL(`../dist/compress/${path}`, import.meta.url)
}

const opened: LayerCompressor[] = []
function open(method: 'gzip' | 'zstd' | 'none', threads = 2): LayerCompressor {
  const compressor = createLayerCompressor(method, {threads})
  opened.push(compressor)
  return compressor
}
afterAll(() => Promise.all(opened.map((compressor) => compressor.close())))

async function* chunked(bytes: Uint8Array, size: number): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(bytes: Bytes): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Text, zeros like a tar's padding, and incompressible content, over several blocks of each method. */
const layer = Buffer.concat([
  seededText('layer', 2 * MiB),
  Buffer.alloc(300_000),
  seededBytes('layer', MiB + 17),
  seededText('more', 2 * MiB - 5),
])

function unpack(program: 'gzip' | 'zstd', packed: Uint8Array): Buffer {
  const {stdout, stderr, status} = spawnSync(program, ['-dc'], {input: packed, maxBuffer: 64 * MiB})
  expect({status, stderr: stderr.toString()}).toEqual({status: 0, stderr: ''})
  return stdout
}

describe.each(['gzip', 'zstd'] as const)('%s', (method) => {
  const compressor = open(method)
  const pack = (plain: Uint8Array, chunk = 65_536) => collect(compressor.compress(chunked(plain, chunk)))

  test('comes back through the program of that name', async (context) => {
    requireTool(context, method)
    expect(unpack(method, await pack(layer)).equals(layer)).toBe(true)
  })

  test.each([
    ['nothing', 0],
    ['one byte', 1],
    ['one byte less than a block', blockBytes[method] - 1],
    ['a block', blockBytes[method]],
    ['one byte more than a block', blockBytes[method] + 1],
    ['two blocks', 2 * blockBytes[method]],
  ])('holds %s', async (_, size) => {
    const plain = layer.subarray(0, size)
    const packed = await pack(plain)
    expect(packed.length).toBeGreaterThan(0)
    expect(unpack(method, packed).equals(plain)).toBe(true)
  })

  test('is the same for any chunks, any number of threads and any other open calls', async () => {
    const expected = sha256(await pack(layer))
    const others = [1, 3].map((threads) => open(method, threads))
    const runs = others.flatMap(({compress}) =>
      [977, 65_536, 3 * MiB, layer.length].map((size) => collect(compress(chunked(layer, size)))),
    )
    const digests = (await Promise.all(runs)).map(sha256)
    expect(new Set(digests)).toEqual(new Set([expected]))
  })
})

// Registries hold layers under these digests; a change makes users push every image again.
test('gzip gives the digests it always gave', async () => {
  const packed = await collect(open('gzip').compress(chunked(layer, 10_000)))
  expect({plain: sha256(layer), packed: sha256(packed), size: packed.length}).toEqual({
    packed: '99a48fc949c29c466d4267ab204e568b6e3ce086f4aa7b5a4934b9e369314129',
    plain: 'e05d7f427895b4c3ec65326f7e528be389df5b710323743c3eb4d8ff79ccadc1',
    size: 2012526,
  })
})

test('zstd gives the digests it always gave', async () => {
  const packed = await collect(open('zstd').compress(chunked(layer, 10_000)))
  expect({packed: sha256(packed), size: packed.length}).toEqual({
    packed: 'e5c9086ef71a8b709e044007980ffe6880640b3e48c7fea561cc8806a341d875',
    size: 1904229,
  })
})

test('gzip is a single member without a time or a name, read whole by readers that stop after the first', async () => {
  const packed = await collect(open('gzip').compress(chunked(layer, 65_536)))
  expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  expect(gunzipSync(packed).equals(layer)).toBe(true)
  expect(inflateRawSync(packed.subarray(10, -8)).equals(layer)).toBe(true)
})

test.each(['gzip', 'none'] as const)(
  '%s is done with a chunk before it asks for the next',
  async (method) => {
    const reused = new Uint8Array(65_536)
    async function* plain(): Bytes {
      for (let at = 0; at < layer.length; at += reused.length) {
        const part = layer.subarray(at, at + reused.length)
        reused.set(part)
        yield reused.subarray(0, part.length)
        reused.fill(0xff)
      }
    }
    const packed = await collect(open(method).compress(plain()))
    expect((method === 'gzip' ? gunzipSync(packed) : packed).equals(layer)).toBe(true)
  },
)

test('the method none passes the layer through unchanged', async () => {
  expect((await collect(open('none').compress(chunked(layer, 65_536)))).equals(layer)).toBe(true)
})

test('media types are those of OCI', () => {
  expect([open('gzip').mediaType, open('zstd').mediaType, open('none').mediaType]).toEqual([
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/vnd.oci.image.layer.v1.tar+zstd',
    'application/vnd.oci.image.layer.v1.tar',
  ])
})

test('threads that were never closed let the process end', async () => {
  const script = `
    const {createLayerCompressor} = await import(${JSON.stringify(compiled('layer-compressor.js').href)})
    const {compress} = createLayerCompressor('gzip', {threads: 2})
    let size = 0
    async function* plain() { yield new Uint8Array(3e6) }
    for await (const part of compress(plain())) size += part.length
    console.log(size > 0)
  `
  const {code, stdout, stderr} = await runChild(process.execPath, ['--input-type=module', '-e', script])
  expect({code, stdout, stderr}).toEqual({code: 0, stdout: 'true\n', stderr: ''})
})
