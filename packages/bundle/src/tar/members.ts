import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {decodePax, type TarExtension} from './extension.js'
import {BLOCK_BYTES, decodeHeader, decodeText, isZeroBlock, roundUpToBlock, type TarHeader} from './header.js'
import {decodeOldGnuBlock, decodeOldGnuHeader, readPaxMap, sparseMap, type SparseMap} from './sparse-map.js'
import {corrupt, truncated} from './tar-errors.js'
import type {TarEntry} from './tar-entry.js'

export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>

/** A header, the extensions before it, and the place of its content. */
export interface Member {
  readonly header: TarHeader
  readonly extension: TarExtension
  /** Offset in bytes from the start of the source. */
  readonly offset: number
  /** Bytes of its content in the archive. */
  readonly stored: number
  readonly sparse?: SparseMap
}

export const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
}

/** Types without content, no matter their stated size, as in GNU tar and Go: links, devices, directories, pipes. */
const WITHOUT_CONTENT = new Set(['1', '2', '3', '4', '5', '6'])

/** The most extension headers before one member: tars write at most a global header, two pax and two GNU headers. */
const EXTENSIONS_IN_A_ROW = 16

interface At {
  readonly name: string
  readonly read: ReadAt
}

/**
 * Yields the members of the archive that starts at `start`, in order, by ascending reads.
 * @returns the offset of its end mark; undefined if the source ends without an end mark
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, LIMIT_EXCEEDED
 */
export async function* membersOf(
  start: number,
  {name, read}: At,
): AsyncGenerator<Member, number | undefined, undefined> {
  const global: TarExtension = {}
  let own: TarExtension | undefined
  let extensions = 0
  for (let at = start; ;) {
    const header = await readHeader(at, {name, read})
    if (typeof header === 'string') {
      if (own !== undefined) throw truncated(name, at)
      return header === 'end mark' ? at : undefined
    }
    const offset = at + BLOCK_BYTES
    if ('xgLK'.includes(header.type)) {
      extensions += 1
      if (extensions > EXTENSIONS_IN_A_ROW)
        throw corrupt(name, at, 'too many extension headers follow each other')
      const extension = await readExtension(header, {name, read, offset})
      if (header.type === 'g') Object.assign(global, extension)
      else own = Object.assign(own ?? {}, extension)
      at = offset + roundUpToBlock(header.size)
    } else {
      const member = await memberOf(header, {name, read, offset, extension: {...global, ...own}})
      yield member
      at = member.offset + roundUpToBlock(member.stored)
      own = undefined
      extensions = 0
    }
  }
}

/** Two zero blocks end an archive; so does the end of the source, because some writers leave the trailer out. */
async function readHeader(at: number, {name, read}: At): Promise<TarHeader | 'end mark' | 'end of source'> {
  const block = await read(at, BLOCK_BYTES)
  if (isZeroBlock(block)) {
    if (block.length < BLOCK_BYTES) return 'end of source'
    const second = await read(at + BLOCK_BYTES, BLOCK_BYTES)
    if (!isZeroBlock(second)) throw corrupt(name, at, 'there is an empty block instead of a header')
    return second.length < BLOCK_BYTES ? 'end of source' : 'end mark'
  }
  if (block.length < BLOCK_BYTES) throw truncated(name, at + block.length)
  const header = decodeHeader(block)
  if (header === undefined) throw corrupt(name, at, 'there is no valid tar header')
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

async function memberOf(
  header: TarHeader,
  {name, read, offset, extension}: At & {readonly offset: number; readonly extension: TarExtension},
): Promise<Member> {
  const size = extension.size ?? header.size
  const stored = WITHOUT_CONTENT.has(header.type) ? 0 : size
  const plain: Member = {header, extension, offset, stored}
  const malformed = (): MirrorError => corrupt(name, offset, 'the map of a sparse file is malformed')
  if (header.type === 'S') {
    const found = await oldGnuMap(header, {read, offset, stored})
    if (found === undefined) throw malformed()
    return {...plain, ...found}
  }
  const {sparse} = extension
  if (sparse === undefined || TYPES[header.type] !== 'file') return plain
  const inContent = sparse.major === 1
  const map = inContent
    ? await readPaxMap((from, length) => read(offset + from, length), stored)
    : {numbers: sparse.map ?? [], bytes: 0}
  const placed =
    map === undefined
      ? undefined
      : sparseMap(map.numbers, {
          offset: offset + map.bytes,
          stored: stored - map.bytes,
          size: sparse.realSize ?? stored,
        })
  if (placed === undefined) throw malformed()
  return {...plain, sparse: placed}
}

/** GNU's old format continues its map in blocks between header and content, not counted in the stated size. */
async function oldGnuMap(
  {block}: TarHeader,
  {read, offset, stored}: {readonly read: ReadAt; readonly offset: number; readonly stored: number},
): Promise<{readonly offset: number; readonly sparse: SparseMap} | undefined> {
  const first = block === undefined ? undefined : decodeOldGnuHeader(block)
  if (first === undefined) return undefined
  const numbers = [...first.numbers]
  let at = offset
  for (let {isContinued} = first; isContinued; at += BLOCK_BYTES) {
    const next = decodeOldGnuBlock(await read(at, BLOCK_BYTES))
    if (next === undefined || next.numbers.length === 0) return undefined
    numbers.push(...next.numbers)
    isContinued = next.isContinued
    if (numbers.length > 2 * limits.sparseParts) return undefined
  }
  const sparse = sparseMap(numbers, {offset: at, stored, size: first.size})
  return sparse === undefined ? undefined : {offset: at, sparse}
}
