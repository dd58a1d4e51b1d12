import {digestOf, hexOf, isMirrorError, limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {ascendingReader} from './ascending-reader.js'
import {captureWithin} from './capture.js'
import {cleanPath} from './clean-path.js'
import {entryFinder} from './find-entry.js'
import {BLOCK_BYTES} from './header.js'
import {membersOf, TYPES, type Member, type ReadAt} from './members.js'
import {endOf, type TarEntry} from './tar-entry.js'
import {corrupt, truncated} from './tar-errors.js'
import {tarRoom, type TarRoom} from './tar-room.js'
import {nextArchive} from './next-archive.js'

/** A member that is not one of `entries`. */
export interface SkippedMember {
  readonly path: string
  /** Size of its stored content, in bytes. */
  readonly size: number
  readonly reason: string
}

export interface TarIndex {
  /** True if the archive has its end mark. Some writers leave it out, and a truncated archive has lost it. */
  readonly ended: boolean
  /** In the archive's order. If several members share a path, only the last is listed. */
  readonly entries: readonly TarEntry[]
  /** Members at the root that list images and were replaced by later members of the same name. */
  readonly earlier: readonly TarEntry[]
  readonly skipped: readonly SkippedMember[]
  /**
   * Returns the file or directory at a path, links followed inside the archive. Undefined if there is none, or a link
   * leads out of the archive or in a circle.
   */
  find(path: string): TarEntry | undefined
}

/** The content of a source behind the end mark of its archive. */
interface Behind {
  readonly archives: readonly TarIndex[]
  /** Bytes that are not an archive. */
  readonly strayBytes: number
  /** The error of the last archive. */
  readonly error?: MirrorError
}

export interface IndexedTar extends TarIndex {
  readonly behind: Behind
}

export interface IndexOptions extends ReadOptions {
  /** True if small JSON contents are captured. Default: if the source is costly to read again. */
  readonly capture?: boolean
  /** The first bytes of the source, if they were read before. */
  readonly head?: Uint8Array
  /** Filled with the first bytes of layers and inner archives, by `headKey`, if the source is costly to read again. */
  readonly heads?: Map<string, Uint8Array>
  /** Shared by all archives of one bundle. */
  readonly room?: TarRoom
}

/** Returns true for a blob of a layout: its reader checks it against its name (image-spec image-layout.md, Blobs). */
function isNamedByDigest(path: string): boolean {
  return /(?:^|\/)blobs\/sha(?:256|512)\/[0-9a-f]+$/.test(path)
}

/** Returns true for the name of a docker-archive's config, which is its digest. No reader checks it, so the index does. */
function isConfig(path: string): boolean {
  return /(?:^|\/)[0-9a-f]{64}\.json$/.test(path)
}

function holdsItsName(path: string, content: Uint8Array): boolean {
  return path.endsWith(`${hexOf(digestOf(content))}.json`)
}

const LISTS_IMAGES: ReadonlySet<string> = new Set(['manifest.json', 'index.json'])

/**
 * Indexes an archive by reading its headers, in ascending small reads. An in-order source is walked in one pass, to its
 * end, which proves its checksums. Of a source of blocks, only blocks with headers are decoded. If the source is costly
 * to read again, small JSON contents are captured. Archives behind the end mark are indexed too; an error there does not
 * affect earlier ones.
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, LIMIT_EXCEEDED, SOURCE_UNREADABLE, CANCELLED
 */
export async function indexTar(source: ByteSource, options: IndexOptions = {}): Promise<IndexedTar> {
  const {room = tarRoom(), head, capture: isCostly = source.access !== 'random'} = options
  // Unproven reads are safe here: a header has its own checksum, and a blob has its digest.
  const read = ascendingReader(source, {...options, head, unproven: true})
  // Other sources make no difference, and an in-order source has to be read by one reader, so that it never goes back.
  const readProven = source.access === 'blocks' ? ascendingReader(source, options) : read
  const reading: Reading = {
    source,
    read,
    readProven,
    room,
    capture: isCostly ? captureWithin(room) : undefined,
    heads: isCostly ? options.heads : undefined,
    signal: options.signal,
  }
  const first = await indexOne(0, reading)
  const archives: TarIndex[] = []
  let strayBytes = 0
  let error: MirrorError | undefined
  for (let end = first.end; end !== undefined;) {
    const next = await nextArchive(end + 2 * BLOCK_BYTES, {source, read, signal: options.signal})
    if (next === undefined) break
    if (!next.isTar) {
      strayBytes = next.bytes
      break
    }
    try {
      const further = await indexOne(next.offset, reading)
      archives.push(further.index)
      end = further.end
    } catch (thrown) {
      if (!isMirrorError(thrown) || thrown.code === 'CANCELLED' || thrown.code === 'LIMIT_EXCEEDED')
        throw thrown
      error = thrown
      break
    }
  }
  // Reading to the end also proves the checksums of an in-order source.
  const size = await source.size(options)
  if (contentEnd(first.index) > size) throw truncated(source.name, size)
  const last = archives.at(-1)
  if (last !== undefined && contentEnd(last) > size) {
    archives.pop()
    error = truncated(source.name, size)
  }
  return {...first.index, behind: {archives, strayBytes, error}}
}

function contentEnd({entries}: TarIndex): number {
  return entries.reduce((most, entry) => Math.max(most, endOf(entry)), 0)
}

interface Reading {
  readonly source: ByteSource
  readonly read: ReadAt
  readonly readProven: ReadAt
  readonly room: TarRoom
  readonly capture: ReturnType<typeof captureWithin> | undefined
  readonly heads: Map<string, Uint8Array> | undefined
  readonly signal: AbortSignal | undefined
}

async function indexOne(
  start: number,
  reading: Reading,
): Promise<{readonly index: TarIndex; readonly end: number | undefined}> {
  const {source, read, room, signal} = reading
  const {name} = source
  const members = new Map<string, TarEntry>()
  const earlier: TarEntry[] = []
  const skipped: SkippedMember[] = []
  const walk = membersOf(start, {name, read})
  for (let next = await walk.next(); ; next = await walk.next()) {
    throwIfAborted(signal)
    if (next.done === true) {
      const index = {
        ended: next.value !== undefined,
        entries: [...members.values()],
        earlier,
        skipped,
        find: entryFinder(name, members),
      }
      return {index, end: next.value}
    }
    const member = next.value
    const entry = toEntry(member, name)
    spendRoom(room, {name, member, entry})
    if (entry === undefined) continue
    if ('reason' in entry) {
      skipped.push(entry)
      continue
    }
    const captured = await capturedOf(entry, reading)
    if (captured === undefined) await keepHead(entry, reading)
    const before = members.get(entry.path)
    if (before?.type === 'file' && LISTS_IMAGES.has(entry.path)) earlier.push(before)
    members.delete(entry.path) // Set again below, at the place of the last.
    members.set(entry.path, captured === undefined ? entry : {...entry, captured})
  }
}

function spendRoom(
  room: TarRoom,
  {name, member, entry}: {name: string; member: Member; entry: TarEntry | SkippedMember | undefined},
): void {
  room.entries -= 1 + (member.sparse?.segments.length ?? 0)
  const linkPath = entry !== undefined && 'linkPath' in entry ? entry.linkPath : undefined
  room.nameBytes -= member.header.path.length + (entry?.path.length ?? 0) + (linkPath?.length ?? 0)
  if (room.entries >= 0 && room.nameBytes >= 0) return
  throw new MirrorError('LIMIT_EXCEEDED', `${name} has too many members, or too long names`, {side: 'source'})
}

async function capturedOf(
  entry: TarEntry,
  {source, read, readProven, capture}: Reading,
): Promise<Uint8Array | undefined> {
  if (entry.type !== 'file' || entry.segments !== undefined) return undefined
  const isUnproven = source.access === 'blocks' && isConfig(entry.path)
  const readContent = isUnproven || isNamedByDigest(entry.path) ? read : readProven
  const found = await capture?.(entry.path, entry.size, (from, length) =>
    readContent(entry.offset + from, length),
  )
  const isInDoubt = isUnproven && found !== undefined && !holdsItsName(entry.path, found)
  return isInDoubt ? readProven(entry.offset, entry.size) : found
}

/** The number of bytes from which content is recognised. */
const HEAD_BYTES = 512

/** Returns the key of an entry's first bytes. It has the offset, because archives in one source may share member names. */
export function headKey({offset, path}: TarEntry): string {
  return `${offset} ${path}`
}

const MAY_BE_PACKED = /(?:\.tar|\.t[a-z]z2?|\.(?:gz|xz|zst|bz2)|(?:^|\/)[0-9a-f]{64})$/

// Kept now, because a later look would cost another pass or the decoding of a block.
async function keepHead(entry: TarEntry, {read, heads}: Reading): Promise<void> {
  if (heads === undefined || entry.type !== 'file' || entry.segments !== undefined) return
  if (!MAY_BE_PACKED.test(entry.path)) return
  heads.set(headKey(entry), (await read(entry.offset, Math.min(HEAD_BYTES, entry.size))).slice())
}

/** Returns the index of an archive from its known members, each path once. */
export function tarIndex(known: Omit<TarIndex, 'find'>, {name}: {readonly name: string}): TarIndex {
  const members = new Map(known.entries.map((entry) => [entry.path, entry]))
  return {...known, find: entryFinder(name, members)}
}

const SKIPPED: Readonly<Record<string, string>> = {
  '3': 'it is a device',
  '4': 'it is a device',
  '6': 'it is a named pipe',
  D: 'it is the listing of a directory in an incremental dump',
  M: 'it is the rest of a file from another volume',
  N: 'it is a list of long names in an old form',
  V: 'it is the label of a volume',
}

/** Returns undefined for the root directory itself. */
function toEntry(member: Member, name: string): TarEntry | SkippedMember | undefined {
  const {header, extension, offset, stored, sparse} = member
  const written = withSlashes(extension.sparse?.name ?? extension.path ?? header.path)
  const shown = JSON.stringify(written.slice(0, 200))
  const type = TYPES[header.type]
  if (type === undefined) {
    const reason = SKIPPED[header.type] ?? `it has the tar type ${JSON.stringify(header.type)}`
    return {path: written.slice(0, limits.tarPathLength), size: stored, reason}
  }
  const path = cleanPath(written)
  if (path === undefined) throw corrupt(name, offset, `the path ${shown} leads out of the archive`)
  if (path === '' && type === 'directory') return undefined
  if (path === '' || path.length > limits.tarPathLength || path.includes('\0')) {
    throw corrupt(name, offset, `the path ${shown} is empty or too long`)
  }
  if (!Number.isSafeInteger(offset + stored)) throw corrupt(name, offset, `the size of ${shown} cannot be`)
  if (sparse !== undefined) return {path, type, offset, ...sparse}
  if (type !== 'symlink' && type !== 'hardlink') return {path, type, offset, size: stored}
  const linkPath = extension.linkPath ?? header.linkPath
  if (linkPath.length > limits.tarPathLength)
    throw corrupt(name, offset, `the link ${shown} leads to too long a path`)
  return {path, type, offset, size: stored, linkPath}
}

// Some Windows tools wrote `blobs\sha256\HEX` (regclient issue 786). Elsewhere a backslash may be part of a name.
function withSlashes(path: string): string {
  const bare = path.startsWith('./') ? path.slice(2) : path
  return bare.includes('/') || !bare.includes('\\') ? path : bare.replaceAll('\\', '/')
}
