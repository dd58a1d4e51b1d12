import {createRequire} from 'node:module'
import {readFile} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import {pathToFileURL} from 'node:url'
import {seededBytes, seededText} from '../kit/index.js'
import {median} from './measure.js'

/**
 * The zstd of layers against libzstd in native code, in one run: whether frames are the same bytes, and the share of the
 * native speed, packing and unpacking. Processor time of one thread.
 * `zstd.js DIRECTORY [FILE]`: DIRECTORY has zstd-napi 0.0.13 in its node_modules; FILE is what is packed, such as a tar
 * of /usr/lib.
 */
const [directory, file] = process.argv.slice(2)
if (directory === undefined) throw new Error('name a directory with zstd-napi in its node_modules')
const ROUNDS = 7
const BLOCK_BYTES = 2 * 1024 * 1024

interface Native {
  readonly CCtx: new () => {
    setParameter(parameter: number, value: number): void
    compress2(to: Uint8Array, from: Uint8Array): number
  }
  readonly DCtx: new () => {
    decompressStream(to: Uint8Array, from: Uint8Array): [hint: number, produced: number, consumed: number]
  }
  readonly CParameter: Readonly<Record<'compressionLevel' | 'contentSizeFlag' | 'checksumFlag', number>>
  compressBound(size: number): number
  versionString(): string
}

interface FrameDecoder {
  push(input: Uint8Array): void
  endFrame(): void
}

interface Block {
  readonly bytes: Uint8Array
}

const native = createRequire(join(resolve(directory), 'x.js'))('zstd-napi/binding.js') as Native
const bundle = dirname(createRequire(import.meta.url).resolve('@airgap-mirror/bundle'))

/** Returns a compiled file of the bundle package. */
async function compiled<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(bundle, path)).href)) as T
}

const {createBlockPacker} = await compiled<{
  createBlockPacker: (method: 'zstd') => Promise<(plain: Uint8Array) => Block>
}>('compress/block-packer.js')
const {openWasmDecoder} = await compiled<{
  openWasmDecoder: (onOutput: (bytes: Uint8Array) => void) => Promise<FrameDecoder>
}>('codecs/zstd/wasm-decoder.js')

const plain =
  file === undefined
    ? Buffer.concat([seededText('bench zstd', 24 << 20), seededBytes('bench zstd', 8 << 20)])
    : await readFile(file)
const blocks = Array.from({length: Math.ceil(plain.length / BLOCK_BYTES)}, (_, index) =>
  plain.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
)

const packWasm = await createBlockPacker('zstd')
const context = new native.CCtx()
context.setParameter(native.CParameter.compressionLevel, 3)
context.setParameter(native.CParameter.contentSizeFlag, 1)
context.setParameter(native.CParameter.checksumFlag, 1)
const room = new Uint8Array(native.compressBound(BLOCK_BYTES))
function packNative(block: Uint8Array): Uint8Array {
  return room.subarray(0, context.compress2(room, block))
}

const frames = blocks.map((block) => Buffer.from(packNative(block)))
const different = blocks.filter((block, index) => frames[index]?.equals(packWasm(block).bytes) !== true)

let unpacked = 0
const wasmDecoder = await openWasmDecoder((bytes) => (unpacked += bytes.length))
function unpackWasm(frame: Uint8Array): void {
  wasmDecoder.push(frame)
  wasmDecoder.endFrame()
}
const decoder = new native.DCtx()
function unpackNative(frame: Uint8Array): void {
  for (let rest = frame; rest.length > 0;) {
    const [, produced, consumed] = decoder.decompressStream(new Uint8Array(128 * 1024), rest)
    unpacked += produced
    rest = rest.subarray(consumed)
  }
}

/** Returns MB/s of plain bytes, by processor time. */
function speed<T>(items: readonly T[], work: (item: T) => void): number {
  const before = process.cpuUsage()
  for (const item of items) work(item)
  const {user, system} = process.cpuUsage(before)
  return plain.length / (user + system)
}

/** Both in turn, so that the machine's other work meets both alike. */
function compare<T>(
  what: string,
  items: readonly T[],
  wasm: (item: T) => void,
  other: (item: T) => void,
): void {
  const pairs = Array.from({length: ROUNDS}, () => [speed(items, wasm), speed(items, other)] as const)
  const shares = pairs.map(([own, theirs]) => own / theirs)
  const [own, theirs] = [0, 1].map((side) => median(pairs.map((pair) => pair[side] ?? 0)))
  process.stdout.write(
    `${what.padEnd(8)} WebAssembly ${own?.toFixed(0)} MB/s, native ${theirs?.toFixed(0)} MB/s: ` +
      `${median(shares).toFixed(2)} (${Math.min(...shares).toFixed(2)} to ${Math.max(...shares).toFixed(2)})\n`,
  )
}

process.stdout.write(
  `Node.js ${process.versions.node}, libzstd ${native.versionString()}, ${ROUNDS} rounds, ` +
    `${(plain.length / 1e6).toFixed(0)} MB\n${blocks.length} frames, ${different.length} different\n`,
)
compare(
  'packing',
  blocks,
  (block) => void packWasm(block),
  (block) => void packNative(block),
)
unpacked = 0
compare('unpacking', frames, unpackWasm, unpackNative)
if (unpacked !== 2 * ROUNDS * plain.length) throw new Error(`${unpacked} bytes came out`)
if (different.length > 0) process.exitCode = 1
