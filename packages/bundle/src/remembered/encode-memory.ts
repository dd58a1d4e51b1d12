import {promisify} from 'node:util'
import {gunzip, gzip} from 'node:zlib'
import {isJsonObject, limits} from '@airgap-mirror/oci-client/model'
import {cleanPath} from '../tar/clean-path.js'
import type {TarEntry} from '../tar/tar-entry.js'
import {BundleMemory, type ArchiveMemory} from './bundle-memory.js'

/** Raised with every change of what is remembered. */
const VERSION = 1
const TYPES = ['file', 'directory', 'symlink', 'hardlink'] as const
const ACCESS = ['random', 'blocks', 'in-order'] as const
const LENGTH_BYTES = 4

/**
 * Packs a memory: the length of a JSON text, the text, and the bytes it speaks of, one after another.
 * @returns undefined where it is more than a later run would read
 */
export async function encodeMemory({archives}: BundleMemory): Promise<Uint8Array | undefined> {
  const contents: Uint8Array[] = []
  const stored = (bytes: Uint8Array): number => {
    contents.push(bytes)
    return bytes.length
  }
  const text = JSON.stringify({
    version: VERSION,
    archives: [...archives].map(([path, {access, size, tar, heads}]) => ({
      path,
      access,
      size,
      ended: tar?.ended,
      entries: tar?.entries.map((entry) => [
        TYPES.indexOf(entry.type),
        entry.path,
        entry.offset,
        entry.size,
        entry.linkPath ?? 0,
        entry.captured === undefined ? 0 : stored(entry.captured),
      ]),
      heads: [...heads].map(([file, head]) => [file, stored(head)]),
    })),
  })
  const header = Buffer.from(text)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(header.length)
  const plain = Buffer.concat([length, header, ...contents])
  return plain.length > limits.rememberedIndexBytes ? undefined : promisify(gzip)(plain)
}

/** @returns undefined where it is damaged or was written by another version */
export async function decodeMemory(packed: Uint8Array): Promise<BundleMemory | undefined> {
  try {
    const plain: Buffer = await promisify(gunzip)(packed, {maxOutputLength: limits.rememberedIndexBytes})
    const end = LENGTH_BYTES + plain.readUInt32LE(0)
    const json: unknown = JSON.parse(plain.subarray(LENGTH_BYTES, end).toString('utf8'))
    if (!isJsonObject(json) || json['version'] !== VERSION) return undefined
    const next = contentsFrom(plain, end)
    return new BundleMemory(new Map(list(json['archives']).map((archive) => readArchive(archive, next))))
  } catch {
    // Whatever is wrong with it: what it says is found out anew.
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
  const {path, access, size: stated, ended, entries, heads} = json
  const size = count(stated)
  const known = ACCESS.find((one) => one === access)
  if (typeof path !== 'string' || known === undefined) throw unusable()
  const members =
    entries === undefined ? undefined : list(entries).map((entry) => readEntry(entry, {size, next}))
  return [
    path,
    {
      access: known,
      size,
      tar: members === undefined ? undefined : {entries: members, ended: ended === true},
      heads: new Map(list(heads).map((head) => readHead(head, next))),
    },
  ]
}

function readEntry(
  json: unknown,
  {size: total, next}: {readonly size: number; readonly next: NextContent},
): TarEntry {
  const [typeIndex, path, start, length, linkPath, captured] = list(json)
  const type = TYPES[count(typeIndex)]
  const offset = count(start)
  const size = count(length)
  if (type === undefined || typeof path !== 'string' || cleanPath(path) !== path || path === '')
    throw unusable()
  if (offset + size > total) throw unusable()
  return {
    path,
    type,
    offset,
    size,
    ...(typeof linkPath === 'string' ? {linkPath} : {}),
    ...(count(captured) === 0 ? {} : {captured: next(size)}),
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
  return new Error('what is remembered of a bundle cannot be used')
}
