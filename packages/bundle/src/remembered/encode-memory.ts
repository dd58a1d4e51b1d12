import {promisify} from 'node:util'
import {gunzip, gzip} from 'node:zlib'
import {isJsonObject, limits} from '@airgap-mirror/oci-client/model'
import {cleanPath} from '../tar/clean-path.js'
import type {SkippedMember, TarIndex} from '../tar/index-tar.js'
import type {Segment, TarEntry} from '../tar/tar-entry.js'
import type {Packing} from '../bytes/packing.js'
import {BundleMemory, type ArchiveMemory, type RememberedTar} from './bundle-memory.js'

/** Increase it with every change of the remembered data. */
const VERSION = 3
const TYPES = ['file', 'directory', 'symlink', 'hardlink'] as const
const ACCESS = ['random', 'blocks', 'in-order'] as const
const CODECS = ['gzip', 'xz', 'zstd', 'bzip2'] as const
const LENGTH_BYTES = 4

/**
 * Packs a memory: the length of a JSON text, the text, and the bytes it refers to, one after another.
 * @returns undefined if it is larger than a later run would read
 */
export async function encodeMemory({archives}: BundleMemory): Promise<Uint8Array | undefined> {
  const contents: Uint8Array[] = []
  const stored = (bytes: Uint8Array): number => {
    contents.push(bytes)
    return bytes.length
  }
  const text = JSON.stringify({
    version: VERSION,
    archives: [...archives].map(([path, {access, size, packing, tar, heads}]) => ({
      path,
      access,
      size,
      packing,
      tar:
        tar === undefined
          ? undefined
          : {
              strayBytes: tar.strayBytes,
              archives: tar.archives.map(({ended, entries, earlier, skipped}) => ({
                ended,
                entries: entries.map((entry) => writeEntry(entry, stored)),
                earlier: earlier.map((entry) => writeEntry(entry, stored)),
                skipped: skipped.map((member) => [member.path, member.size, member.reason]),
              })),
            },
      heads: [...heads].map(([file, head]) => [file, stored(head)]),
    })),
  })
  const header = Buffer.from(text)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(header.length)
  const plain = Buffer.concat([length, header, ...contents])
  return plain.length > limits.rememberedIndexBytes ? undefined : promisify(gzip)(plain)
}

function writeEntry(entry: TarEntry, stored: (bytes: Uint8Array) => number): readonly unknown[] {
  return [
    TYPES.indexOf(entry.type),
    entry.path,
    entry.offset,
    entry.size,
    entry.linkPath ?? 0,
    entry.captured === undefined ? 0 : stored(entry.captured),
    entry.segments === undefined ? 0 : entry.segments.map(({at, offset, length}) => [at, offset, length]),
  ]
}

/** @returns undefined if it is damaged or was written by another version */
export async function decodeMemory(packed: Uint8Array): Promise<BundleMemory | undefined> {
  try {
    const plain: Buffer = await promisify(gunzip)(packed, {maxOutputLength: limits.rememberedIndexBytes})
    const end = LENGTH_BYTES + plain.readUInt32LE(0)
    const json: unknown = JSON.parse(plain.subarray(LENGTH_BYTES, end).toString('utf8'))
    if (!isJsonObject(json) || json['version'] !== VERSION) return undefined
    const next = contentsFrom(plain, end)
    return new BundleMemory(new Map(list(json['archives']).map((archive) => readArchive(archive, next))))
  } catch {
    // Damage is ignored, because the findings can be recomputed.
    return undefined
  }
}

type NextContent = (length: unknown) => Uint8Array

function contentsFrom(plain: Buffer, start: number): NextContent {
  let at = start
  return (length) => {
    const from = at
    at += count(length)
    if (at > plain.length) throw unusable()
    return plain.subarray(from, at)
  }
}

function readArchive(json: unknown, next: NextContent): [string, ArchiveMemory] {
  if (!isJsonObject(json)) throw unusable()
  const {path, access, size: stated, packing, tar, heads} = json
  const size = count(stated)
  const known = ACCESS.find((one) => one === access)
  if (typeof path !== 'string' || known === undefined) throw unusable()
  return [
    path,
    {
      access: known,
      size,
      packing: packing === undefined ? undefined : readPacking(packing),
      tar: tar === undefined ? undefined : readTar(tar, {size, next}),
      heads: new Map(list(heads).map((head) => readHead(head, next))),
    },
  ]
}

interface Reading {
  /** Bytes of the archive. */
  readonly size: number
  readonly next: NextContent
}

function readPacking(json: unknown): Packing {
  if (!isJsonObject(json)) throw unusable()
  const {codec, blocks} = json
  const known = CODECS.find((one) => one === codec)
  if (known === undefined) throw unusable()
  if (blocks === undefined) return {codec: known}
  if (!isJsonObject(blocks)) throw unusable()
  return {codec: known, blocks: {count: count(blocks['count']), largest: count(blocks['largest'])}}
}

function readTar(json: unknown, reading: Reading): RememberedTar {
  if (!isJsonObject(json)) throw unusable()
  return {
    strayBytes: count(json['strayBytes']),
    archives: list(json['archives']).map((archive): Omit<TarIndex, 'find'> => {
      if (!isJsonObject(archive)) throw unusable()
      return {
        ended: archive['ended'] === true,
        entries: list(archive['entries']).map((entry) => readEntry(entry, reading)),
        earlier: list(archive['earlier']).map((entry) => readEntry(entry, reading)),
        skipped: list(archive['skipped']).map(readSkipped),
      }
    }),
  }
}

function readSkipped(json: unknown): SkippedMember {
  const [path, size, reason] = list(json)
  if (typeof path !== 'string' || typeof reason !== 'string') throw unusable()
  return {path, size: count(size), reason}
}

function readSegments(
  json: unknown,
  {size, total}: {readonly size: number; readonly total: number},
): readonly Segment[] {
  let end = 0
  return list(json).map((part) => {
    const [at, offset, length] = list(part).map(count)
    if (at === undefined || offset === undefined || length === undefined) throw unusable()
    if (at < end || at + length > size || offset + length > total) throw unusable()
    end = at + length
    return {at, offset, length}
  })
}

function readEntry(json: unknown, {size: total, next}: Reading): TarEntry {
  const [typeIndex, path, start, length, linkPath, captured, parts] = list(json)
  const type = TYPES[count(typeIndex)]
  const offset = count(start)
  const size = count(length)
  if (type === undefined || typeof path !== 'string' || cleanPath(path) !== path || path === '')
    throw unusable()
  const segments = parts === 0 ? undefined : readSegments(parts, {size, total})
  if (segments === undefined && offset + size > total) throw unusable()
  return {
    path,
    type,
    offset,
    size,
    linkPath: typeof linkPath === 'string' ? linkPath : undefined,
    segments,
    captured: count(captured) === 0 ? undefined : next(size),
  }
}

function readHead(json: unknown, next: NextContent): [string, Uint8Array] {
  const [path, length] = list(json)
  if (typeof path !== 'string') throw unusable()
  return [path, next(length)]
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw unusable()
  return json
}

function count(json: unknown): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0) throw unusable()
  return json
}

function unusable(): Error {
  return new Error('the saved index of a bundle cannot be used')
}
