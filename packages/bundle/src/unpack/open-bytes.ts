import {open} from 'node:fs/promises'
import {availableParallelism} from 'node:os'
import type {Readable} from 'node:stream'
import {limits, messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {scratchOf} from './scratch-file.js'
import {Spool} from './spool.js'
import {throwIfAborted} from '../bytes/abortable.js'
import {BlockCache} from '../bytes/block-cache.js'
import type {ByteSource} from '../bytes/byte-source.js'
import {fileBytes} from '../bytes/file-bytes.js'
import {IdlePasses} from '../bytes/idle-passes.js'
import {LazyBytes} from '../bytes/lazy-bytes.js'
import {openVolumes} from '../volumes/volume-bytes.js'
import type {VolumeSet} from '../volumes/volume-set.js'
import type {OpenBytesOptions} from './open-options.js'
import {openPacked} from './open-packed.js'
import {plainStream} from './plain-stream.js'
import {watchedBytes} from '../bytes/watched-bytes.js'
import {sliceBytes} from '../bytes/slice-bytes.js'
import {sparseBytes, type StoredPart} from '../bytes/sparse-bytes.js'
import type {Level} from '../bytes/level.js'
import type {Compression} from '../codecs/sniff.js'
import type {Usage} from '../bytes/usage.js'

export type {OpenBytesOptions} from './open-options.js'

export type BytesInput =
  | {readonly path: string}
  | {readonly volumes: VolumeSet; readonly name: string}
  | {readonly stream: Readable; readonly name: string}
  | PlainInput

/** Plain bytes that can be read once. */
export interface PlainInput {
  readonly plain: Bytes
  /** The bytes that were decoded for them. */
  readonly usage: Usage
  readonly name: string
  /** Returns the stream's compression; undefined until it was seen. */
  readonly codecOf: () => Compression | undefined
}

/** A part of a byte source that is an archive itself. `name` is its path inside the outer archive, for messages. */
export interface NestedRange {
  readonly offset: number
  readonly length: number
  readonly name: string
  /** The stored parts of a sparse file; `offset` is then unused. */
  readonly parts?: readonly StoredPart[]
}

/** Two blocks of xz's default size: the reader has a block while the next is decoded. */
const DEFAULT_BUDGET = 56 * 1024 * 1024

/** libuv's pool has four threads. Files need one, and each decoder has a dictionary of 4 MiB or more. */
const MOST_THREADS = 3

/**
 * Opens the plain bytes of a file or a stream; the compression is detected from the content.
 * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_UNSUPPORTED, SOURCE_TRUNCATED, SOURCE_CORRUPT, SCRATCH_FULL,
 * WRITE_FAILED, LIMIT_EXCEEDED, CANCELLED
 */
export async function openBytes(input: BytesInput, options: OpenBytesOptions = {}): Promise<ByteSource> {
  throwIfAborted(options.signal)
  if ('plain' in input) return keepStream(input.plain, {...options, ...input})
  if ('stream' in input) return openStream(input.stream, {...options, name: input.name})
  if ('volumes' in input) return openSet(input.volumes, options)
  const handle = await open(input.path).catch((cause: unknown) => {
    throw unreadable(input.path, cause)
  })
  try {
    const stat = await handle.stat()
    if (stat.isDirectory()) throw unreadable(input.path, new Error('it is a directory'))
    // A named pipe or /dev/stdin is a stream although it has a path.
    if (!stat.isFile()) return await openStream(handle.createReadStream(), {...options, name: input.path})
    return await openWhole(fileBytes(handle, {name: input.path, size: stat.size}), options)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Opens the plain bytes of a range of another source, which may be compressed itself; a plain range is never copied.
 * Disposing it leaves `source` open; `usage` counts only the decoding of this level.
 * @throws {MirrorError} as `openBytes`
 */
export async function openNested(
  source: ByteSource,
  range: NestedRange,
  options: OpenBytesOptions = {},
): Promise<ByteSource> {
  const {level: above} = source instanceof LazyBytes ? await source.opened() : source
  if (above !== undefined && above.depth >= limits.nestingDepth) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${range.name} is nested more than ${limits.nestingDepth} levels deep`,
      {
        side: 'source',
      },
    )
  }
  const level =
    above === undefined ? newLevel(options, {depth: 1}) : (above.below ??= levelBelow(above, source, options))
  const opened = await openPacked(rangeOf(source, range), {...options, ...level})
  opened.level = level
  return opened
}

function rangeOf(source: ByteSource, {parts, ...range}: NestedRange): ByteSource {
  if (parts === undefined) return sliceBytes(source, range)
  return sparseBytes(source, {name: range.name, size: range.length, parts})
}

interface Named extends OpenBytesOptions {
  readonly name: string
}

async function openSet(volumes: VolumeSet, options: OpenBytesOptions): Promise<ByteSource> {
  const packed = await openVolumes(volumes)
  try {
    return await openWhole(packed, options)
  } catch (error) {
    await packed[Symbol.asyncDispose]()
    throw error
  }
}

async function openWhole(packed: ByteSource, options: OpenBytesOptions): Promise<ByteSource> {
  const level = options.beside?.level ?? newLevel(options, {depth: 0})
  const {onReading} = options
  const watched =
    onReading === undefined
      ? packed
      : watchedBytes(packed, {size: await packed.size({signal: options.signal}), onReading})
  const opened = await openPacked(watched, {...options, ...level})
  // A plain archive is read by its headers, which takes no time.
  const source = opened === watched ? packed : opened
  source.level = level
  return source
}

async function openStream(stream: Readable, options: Named): Promise<ByteSource> {
  const usage: Usage = {decoded: 0, scratchPeak: 0}
  let codec: Compression | undefined
  const onCodec = (found: Compression): void => {
    codec = found
  }
  const plain = plainStream(stream, {...options, usage, onCodec})
  return keepStream(plain, {...options, usage, codecOf: () => codec})
}

/** Keeps the plain bytes in scratch, because a stream can be read only once and a bundle's metadata may be at its end. */
async function keepStream(
  plain: Bytes,
  options: Named & Pick<PlainInput, 'usage' | 'codecOf'>,
): Promise<ByteSource> {
  const {name, usage, codecOf, signal} = options
  const scratch = scratchOf(options.scratch)
  if (scratch === undefined) {
    throw new MirrorError(
      'SOURCE_UNSUPPORTED',
      `${name} can be read only once, and keeping it on disk is not allowed`,
      {
        side: 'source',
        advice: {kind: 'allow-scratch'},
      },
    )
  }
  options.onNote?.(`${name} is a stream: its plain content is kept in ${scratch.directory}`)
  const spooled = new Spool({name, scratch, usage, plain: () => plain})
  try {
    await spooled.size({signal})
  } catch (error) {
    await spooled[Symbol.asyncDispose]()
    throw error
  }
  const codec = codecOf()
  if (codec !== undefined && codec !== 'plain') spooled.packing = {codec}
  spooled.level = newLevel(options, {depth: 0})
  return spooled
}

function newLevel(options: OpenBytesOptions, {depth}: {readonly depth: number}): Level {
  const budget = options.memoryBudget ?? DEFAULT_BUDGET
  const threads = options.threads ?? Math.min(MOST_THREADS, availableParallelism())
  return {depth, budget, cache: new BlockCache({budget, threads}), idle: new IdlePasses()}
}

/** Half of the memory if the level above decodes blocks and needs the other half, else all of it. */
function levelBelow(above: Level, source: ByteSource, options: OpenBytesOptions): Level {
  const memoryBudget = source.access === 'blocks' ? above.budget / 2 : above.budget
  return newLevel({...options, memoryBudget}, {depth: above.depth + 1})
}

function unreadable(name: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_UNREADABLE', `cannot read ${name}: ${messageOf(cause)}`, {
    side: 'source',
    cause,
  })
}
