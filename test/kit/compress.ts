import {spawnSync} from 'node:child_process'
import {once} from 'node:events'
import zlib from 'node:zlib'
import {Zstd} from '@hpcc-js/wasm-zstd'
import {createCompressor, type Check} from 'lzma-native'

export interface XzOptions {
  readonly type: 'xz'
  /** Plain bytes of one block; absent: a single block, as `xz -T1` writes. */
  readonly blockSize?: number
  /** Plain bytes of one stream; absent: a single stream. */
  readonly streamSize?: number
  /** Zero bytes after each stream, a multiple of 4. */
  readonly padding?: number
  readonly preset?: 0 | 1 | 6 | 9
  /** Default CHECK_CRC64, as the program `xz`. */
  readonly check?: Check
}

export interface GzipOptions {
  readonly type: 'gzip'
  /** Plain bytes of one member; absent: a single member. */
  readonly memberSize?: number
}

export interface ZstdOptions {
  readonly type: 'zstd'
  /** Plain bytes of one frame; absent: a single frame. */
  readonly frameSize?: number
  readonly windowLog?: number
  readonly level?: number
}

export type Compression = XzOptions | GzipOptions | ZstdOptions | {readonly type: 'none'}

/** A whole small bundle, compressed in the shape that is asked for. */
export async function compress(bytes: Uint8Array, compression: Compression): Promise<Buffer> {
  if (compression.type === 'none') return Buffer.from(bytes)
  if (compression.type === 'gzip') {
    return Buffer.concat(split(bytes, compression.memberSize).map((part) => zlib.gzipSync(part)))
  }
  if (compression.type === 'zstd') {
    const encode = await zstdEncoder(compression)
    return Buffer.concat(split(bytes, compression.frameSize).map(encode))
  }
  const streams: Buffer[] = []
  for (const part of split(bytes, compression.streamSize)) {
    streams.push(await xzStream(part, compression), Buffer.alloc(compression.padding ?? 0))
  }
  return Buffer.concat(streams)
}

async function xzStream(bytes: Uint8Array, options: XzOptions): Promise<Buffer> {
  const chunks: Buffer[] = []
  const compressor = createCompressor({
    preset: options.preset ?? 1,
    check: options.check ?? 'CHECK_CRC64',
    ...(options.blockSize !== undefined && {threads: 1, blockSize: options.blockSize}),
  })
  compressor.on('data', (chunk: Buffer) => chunks.push(chunk))
  compressor.end(bytes)
  await once(compressor, 'end')
  return Buffer.concat(chunks)
}

type Encode = (bytes: Uint8Array) => Buffer

/** zstd is in Node from 22.15 on; before that WebAssembly makes frames, and the program those with a window. */
async function zstdEncoder({windowLog, level = 3}: ZstdOptions): Promise<Encode> {
  const builtIn = zlib as typeof zlib & {
    readonly zstdCompressSync?: (bytes: Uint8Array, options: {params: Record<number, number>}) => Buffer
    readonly constants: Record<string, number>
  }
  const {zstdCompressSync, constants} = builtIn
  if (zstdCompressSync !== undefined) {
    const {
      ZSTD_c_compressionLevel = 100,
      ZSTD_c_windowLog = 101,
      ZSTD_c_enableLongDistanceMatching = 160,
    } = constants
    const params = {
      [ZSTD_c_compressionLevel]: level,
      ...(windowLog !== undefined && {[ZSTD_c_windowLog]: windowLog, [ZSTD_c_enableLongDistanceMatching]: 1}),
    }
    return (bytes) => zstdCompressSync(bytes, {params})
  }
  if (windowLog !== undefined) {
    const args = ['-q', '-c', `-${level}`, `--long=${windowLog}`]
    return (bytes) => {
      const {status, stdout, stderr} = spawnSync('zstd', args, {input: bytes, maxBuffer: MOST_BYTES})
      if (status !== 0) throw new Error(`zstd: ${stderr?.toString() ?? 'it cannot be started'}`)
      return stdout
    }
  }
  const zstd = await Zstd.load()
  return (bytes) => Buffer.from(zstd.compress(bytes, level))
}

/** The output of a program. */
const MOST_BYTES = 1024 * 1024 * 1024

function split(bytes: Uint8Array, size: number | undefined): readonly Uint8Array[] {
  if (size === undefined) return [bytes]
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; offset += size)
    parts.push(bytes.subarray(offset, offset + size))
  return parts
}
