import type {Readable} from 'node:stream'
import {ByteCursor} from '../bytes/byte-cursor.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {Usage} from '../bytes/usage.js'
import type {Compression} from '../codecs/sniff.js'
import {linksAmong, type FileTree, type TreeFile} from '../files/file-tree.js'
import {memoryFile} from '../files/memory-file.js'
import {readLeadingFiles, type LeadingFiles} from '../passing/leading-files.js'
import {PassingBlobs} from '../passing/passing-blobs.js'
import {recorded} from '../passing/recorded.js'
import {membersOf, type ReadAt} from '../tar/members.js'
import type {PlainInput} from '../unpack/open-bytes.js'
import {plainStream} from '../unpack/plain-stream.js'

export interface OpenPassingOptions {
  readonly name: string
  /** Ends the stream while it is opened. */
  readonly signal?: AbortSignal
  readonly onReading?: (bytes: number) => void
}

/** A layout whose blobs are read as they pass. */
export interface PassingBundle {
  readonly tree: FileTree
  readonly blobs: PassingBlobs
  readonly packing: ByteSource['packing']
}

/** A stream that has to be kept, from its start. */
export type OtherStream = PlainInput

/**
 * Opens a stream for one pass if it is a layout with its manifests before its blobs, as a bundle sink writes it.
 * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_UNSUPPORTED, SOURCE_TRUNCATED, SOURCE_CORRUPT, CANCELLED
 */
export async function openPassing(
  stream: Readable,
  {name, signal, onReading}: OpenPassingOptions,
): Promise<PassingBundle | OtherStream> {
  const closing = new AbortController()
  const abort = (): void => closing.abort(signal?.reason)
  signal?.addEventListener('abort', abort, {once: true})
  const usage: Usage = {decoded: 0, scratchPeak: 0}
  let codec: Compression | undefined
  const onCodec = (found: Compression): void => {
    codec = found
  }
  let isCopied = false
  const reuseChunks = (): boolean => isCopied
  const reading = {name, usage, signal: closing.signal, onCodec, onReading, reuseChunks}
  const record = recorded(plainStream(stream, reading))
  const cursor = new ByteCursor(record.bytes)
  const members = membersOf(0, {name, read: ascending(cursor)})
  const leading = await readLeadingFiles(members, ascending(cursor))
  if (leading === undefined) return {plain: record.again(), usage, name, codecOf: () => codec}
  signal?.removeEventListener('abort', abort)
  record.forget()
  isCopied = true
  const close = (): void => closing.abort()
  const blobs = new PassingBlobs(leading.blobs, {name, members, cursor, usage, close})
  const packing = codec === undefined || codec === 'plain' ? undefined : {codec}
  return {tree: treeOf(name, {leading, blobs}), blobs, packing}
}

/** Reads at ascending offsets. */
function ascending(cursor: ByteCursor): ReadAt {
  return async (offset, length) => {
    for await (const _ of cursor.pass(offset - cursor.position));
    const parts: Uint8Array[] = []
    // The memory of a part may be used again for the next.
    for await (const part of cursor.pass(length))
      parts.push(part.length === length ? part : Buffer.from(part))
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }
}

function treeOf(
  name: string,
  {leading, blobs}: {readonly leading: LeadingFiles; readonly blobs: PassingBlobs},
): FileTree {
  const {files} = leading
  const sizes = new Map([...files].map(([path, {length}]) => [path, length] as const))
  for (const {path, size} of blobs.entries) sizes.set(path, size)
  const entries = [...sizes].map(([path, size]) => ({path, kind: 'file' as const, size}))
  return {
    name,
    entries,
    find: (path) => {
      const bytes = files.get(path)
      return bytes === undefined ? blobs.find(path) : inMemory(bytes, `${name}: ${path}`)
    },
    isLink: linksAmong(entries),
    leadsOut: () => false,
  }
}

function inMemory(bytes: Uint8Array, name: string): TreeFile {
  return {
    ...memoryFile(bytes, name),
    openArchive: async () => {
      throw new Error(`a file of a layout was taken for an archive: ${name}`)
    },
  }
}
