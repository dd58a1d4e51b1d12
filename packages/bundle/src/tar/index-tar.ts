import {digestOf, hexOf, limits, MirrorError, type Advice} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {ascendingReader} from './ascending-reader.js'
import {captureWithin} from './capture.js'
import {cleanPath} from './clean-path.js'
import {decodePax, type TarExtension} from './extension.js'
import {entryFinder} from './find-entry.js'
import {BLOCK_BYTES, decodeHeader, decodeText, isZeroBlock, roundUpToBlock, type TarHeader} from './header.js'
import type {TarEntry} from './tar-entry.js'
import {tarRoom, type TarRoom} from './tar-room.js'

export interface TarIndex {
  /** Whether the archive has its end mark; some writers leave it out, and so does whatever cuts an archive short. */
  readonly ended: boolean
  /** In the archive's order. Of several members with one path only the last is there. */
  readonly entries: readonly TarEntry[]
  /**
   * The file or directory at a path, links followed inside the archive; undefined where there is none, where a link leads
   * out of the archive or in a circle.
   */
  find(path: string): TarEntry | undefined
}

export interface IndexOptions extends ReadOptions {
  /** Whether small JSON contents are captured; by default where the source is costly to read again. */
  readonly capture?: boolean | undefined
  /** What the archives of one bundle may take together. */
  readonly room?: TarRoom | undefined
}

type ReadAt = (offset: number, length: number) => Promise<Uint8Array>

/** A header, what came before it about it, and where its content is. */
interface Member {
  readonly header: TarHeader
  readonly extension: TarExtension
  readonly offset: number
}

const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
}

/** Where layouts keep blobs: whoever reads one holds it to its name (image-spec image-layout.md, Blobs). */
function isNamedByDigest(path: string): boolean {
  return /(?:^|\/)blobs\/sha(?:256|512)\/[0-9a-f]+$/.test(path)
}

/** docker-archives that are no layouts name a config by its digest, but nobody else holds it to that. */
function isConfig(path: string): boolean {
  return /(?:^|\/)[0-9a-f]{64}\.json$/.test(path)
}

function holdsItsName(path: string, content: Uint8Array): boolean {
  return path.endsWith(`${hexOf(digestOf(content))}.json`)
}

/** Extension headers before one member: a global one, two pax, two GNU are the most that any tar writes. */
const EXTENSIONS_IN_A_ROW = 16

/**
 * Reads the headers of an archive, hopping over contents: ascending small reads, so that an in-order source is walked in
 * one pass (to its end, which proves its checksums) and of a source of blocks only those with headers are decoded. Of
 * sources that are costly to read again, small JSON contents are captured on the way.
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNSUPPORTED, LIMIT_EXCEEDED, SOURCE_UNREADABLE, CANCELLED
 */
export async function indexTar(source: ByteSource, options: IndexOptions = {}): Promise<TarIndex> {
  const {room = tarRoom(), capture: isCostly = source.access !== 'random'} = options
  const members = new Map<string, TarEntry>()
  // A header has a checksum of its own, and so has what is named by its digest.
  const read = ascendingReader(source, {...options, unproven: true})
  const readProven = ascendingReader(source, options)
  const capture = isCostly ? captureWithin(room) : undefined
  let contentEnd = 0
  for await (const member of membersOf(source.name, read)) {
    throwIfAborted(options.signal)
    const entry = toEntry(member, source.name)
    room.entries -= 1
    room.nameBytes -= member.header.path.length + (entry?.path.length ?? 0) + (entry?.linkPath?.length ?? 0)
    if (room.entries < 0 || room.nameBytes < 0) {
      throw new MirrorError('LIMIT_EXCEEDED', `${source.name} has too many members, or too long names`, {
        side: 'source',
      })
    }
    if (entry === undefined) continue
    contentEnd = entry.offset + entry.size
    const isUnproven = source.access === 'blocks' && isConfig(entry.path)
    const readContent = isUnproven || isNamedByDigest(entry.path) ? read : readProven
    const found =
      entry.type === 'file'
        ? await capture?.(entry.path, entry.size, (from, length) => readContent(entry.offset + from, length))
        : undefined
    const isInDoubt = isUnproven && found !== undefined && !holdsItsName(entry.path, found)
    const captured = isInDoubt ? await readProven(entry.offset, entry.size) : found
    members.delete(entry.path) // Set again below, at the place of the last.
    members.set(entry.path, captured === undefined ? entry : {...entry, captured})
  }
  const size = await source.size(options)
  if (contentEnd > size) throw truncated(source.name, size)
  const ended = size >= roundUpToBlock(contentEnd) + 2 * BLOCK_BYTES
  return {ended, entries: [...members.values()], find: entryFinder(source.name, members)}
}

/** The index of an archive whose members are known, each path once. */
export function tarIndex(
  entries: readonly TarEntry[],
  {name, ended}: {readonly name: string; readonly ended: boolean},
): TarIndex {
  const members = new Map(entries.map((entry) => [entry.path, entry]))
  return {ended, entries, find: entryFinder(name, members)}
}

/** The archive's members in order, each with what its extension headers say. */
async function* membersOf(name: string, read: ReadAt): AsyncGenerator<Member, void, undefined> {
  const global: TarExtension = {}
  let own: TarExtension = {}
  let extensions = 0
  for (let at = 0; ;) {
    const header = await readHeader(at, {name, read})
    if (header === 'end') {
      if (extensions > 0) throw truncated(name, at)
      return
    }
    const offset = at + BLOCK_BYTES
    if ('xgLK'.includes(header.type)) {
      extensions += 1
      if (extensions > EXTENSIONS_IN_A_ROW)
        throw corrupt(name, at, 'too many extension headers follow each other')
      const extension = await readExtension(header, {name, read, offset})
      Object.assign(header.type === 'g' ? global : own, extension)
      at = offset + roundUpToBlock(header.size)
    } else {
      const extension = {...global, ...own}
      const member: Member = {header, extension, offset}
      yield member
      at = offset + roundUpToBlock(contentSize(member))
      own = {}
      extensions = 0
    }
  }
}

interface At {
  readonly name: string
  readonly read: ReadAt
}

/** Two zero blocks end an archive; so does the end of the source, since some writers leave the trailer out. */
async function readHeader(at: number, {name, read}: At): Promise<TarHeader | 'end'> {
  const block = await read(at, BLOCK_BYTES)
  if (isZeroBlock(block)) {
    const second = block.length < BLOCK_BYTES ? block : await read(at + BLOCK_BYTES, BLOCK_BYTES)
    if (isZeroBlock(second)) return 'end'
    throw corrupt(name, at, 'an empty block stands where a header should be')
  }
  if (block.length < BLOCK_BYTES) throw truncated(name, at + block.length)
  const header = decodeHeader(block)
  if (header === undefined) throw corrupt(name, at, 'no valid tar header is where one should be')
  return header
}

async function readExtension(header: TarHeader, at: At & {readonly offset: number}): Promise<TarExtension> {
  const {name, read, offset} = at
  if (header.size > limits.tarExtensionBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `a tar extension header of ${name} has ${header.size} bytes, over the limit of ${limits.tarExtensionBytes}`,
      {side: 'source'},
    )
  }
  const content = Buffer.from(await read(offset, header.size))
  if (content.length < header.size) throw truncated(name, offset + content.length)
  if (header.type === 'L') return {path: decodeText(content)}
  if (header.type === 'K') return {linkPath: decodeText(content)}
  const extension = decodePax(content)
  if (extension === undefined) throw corrupt(name, offset, 'a pax extension header is malformed')
  return extension
}

/** Only files have content; what other types state as size is not there (as GNU tar and Go read it). */
function contentSize({header, extension}: Member): number {
  return TYPES[header.type] === 'file' ? (extension.size ?? header.size) : 0
}

/** Undefined for the root directory itself. */
function toEntry(member: Member, name: string): TarEntry | undefined {
  const {header, extension, offset} = member
  const written = extension.path ?? header.path
  const shown = JSON.stringify(written.slice(0, 200))
  const type = TYPES[header.type]
  if (header.type === 'S' || extension.sparse !== undefined) {
    throw unsupported(name, `${shown} is stored as a sparse file`, {kind: 'archive-without-sparse-files'})
  }
  if (type === undefined) {
    throw unsupported(
      name,
      `${shown} has the tar type ${JSON.stringify(header.type)}, which no image bundle has`,
    )
  }
  const path = cleanPath(written)
  if (path === undefined) throw corrupt(name, offset, `the path ${shown} leads out of the archive`)
  if (path === '' && type === 'directory') return undefined
  if (path === '' || path.length > limits.tarPathLength || path.includes('\0')) {
    throw corrupt(name, offset, `the path ${shown} is empty or too long`)
  }
  const size = contentSize(member)
  if (!Number.isSafeInteger(offset + size)) throw corrupt(name, offset, `the size of ${shown} cannot be`)
  if (type !== 'symlink' && type !== 'hardlink') return {path, type, offset, size}
  const linkPath = extension.linkPath ?? header.linkPath
  if (linkPath.length > limits.tarPathLength)
    throw corrupt(name, offset, `the link ${shown} leads to too long a path`)
  return {path, type, offset, size, linkPath}
}

function truncated(name: string, at: number): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `${name} ends in the middle of the archive, at byte ${at} of its plain content`,
    {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
    },
  )
}

function corrupt(name: string, at: number, what: string): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `${name} is no valid tar archive: ${what}, at byte ${at}`, {
    side: 'source',
  })
}

function unsupported(name: string, what: string, advice?: Advice): MirrorError {
  return new MirrorError('SOURCE_UNSUPPORTED', `cannot read ${name}: ${what}`, {side: 'source', advice})
}
