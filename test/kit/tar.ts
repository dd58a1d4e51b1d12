import {createWriteStream} from 'node:fs'
import {mkdir, symlink, link, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {pack, type Header, type Pack} from 'tar-stream'
import {shuffled} from './seeded.js'

/** A member of a bundle that is to be written. */
export type Entry =
  | {readonly path: string; readonly bytes: Uint8Array}
  | {readonly path: string; readonly symlink: string}
  | {readonly path: string; readonly hardlink: string}
  | {readonly path: string; readonly directory: true}

/** producer: as the tool writes it. index-first: the JSON files that name everything come before all else. */
export type EntryOrder = 'producer' | 'index-first' | 'reversed' | {readonly seed: string}

const INDEX_FILES = new Set(['oci-layout', 'index.json', 'manifest.json', 'repositories'])

export function inOrder(entries: readonly Entry[], order: EntryOrder): readonly Entry[] {
  if (order === 'producer') return entries
  if (order === 'reversed') return entries.toReversed()
  if (order !== 'index-first') return shuffled(entries, order.seed)
  const isIndex = ({path}: Entry): boolean => INDEX_FILES.has(path)
  return [...entries.filter(isIndex), ...entries.filter((entry) => !isIndex(entry))]
}

export interface TarOptions {
  readonly order?: EntryOrder
  /** In front of every path, such as `./`. */
  readonly prefix?: string
}

export async function tarBytes(entries: readonly Entry[], options: TarOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of packed(entries, options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function writeTar(
  path: string,
  entries: readonly Entry[],
  options: TarOptions = {},
): Promise<void> {
  await pipeline(packed(entries, options), createWriteStream(path))
}

export async function writeDirectory(directory: string, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const path = join(directory, entry.path)
    await mkdir('directory' in entry ? path : dirname(path), {recursive: true})
    if ('bytes' in entry) await writeFile(path, entry.bytes)
    else if ('symlink' in entry) await symlink(entry.symlink, path)
    else if ('hardlink' in entry) await link(join(directory, entry.hardlink), path)
  }
}

async function* packed(entries: readonly Entry[], options: TarOptions): AsyncGenerator<Uint8Array> {
  const tar = pack()
  const filled = fill(tar, inOrder(entries, options.order ?? 'producer'), options.prefix ?? '')
  filled.catch((error: Error) => tar.destroy(error))
  yield* tar as AsyncIterable<Uint8Array>
  await filled
}

async function fill(tar: Pack, entries: readonly Entry[], prefix: string): Promise<void> {
  for (const entry of entries) {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve())
      const header = headerOf(entry, prefix)
      if ('bytes' in entry) tar.entry(header, Buffer.from(entry.bytes), done)
      else tar.entry(header, done)
    })
  }
  tar.finalize()
}

function headerOf(entry: Entry, prefix: string): Partial<Header> & {name: string} {
  const base = {name: prefix + entry.path, mtime: new Date(0), mode: 0o644}
  if ('symlink' in entry) return {...base, type: 'symlink', linkname: entry.symlink}
  if ('hardlink' in entry) return {...base, type: 'link', linkname: prefix + entry.hardlink}
  if ('directory' in entry) return {...base, type: 'directory', mode: 0o755}
  return {...base, size: entry.bytes.length}
}
