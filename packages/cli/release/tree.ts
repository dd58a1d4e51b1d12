import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'

/** A file or a link of the packaged program. Paths are relative, with `/`. */
export type Entry =
  | {readonly path: string; readonly mode: number; readonly bytes: Uint8Array}
  | {readonly path: string; readonly target: string}

const EXECUTABLE = 0o111

export function fileOf(path: string, bytes: Uint8Array | string, mode = 0o644): Entry {
  return {path, mode, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes}
}

/** Reads one file as an entry; executable files stay executable. */
export async function copyOf(from: string, path: string): Promise<Entry> {
  const [bytes, {mode}] = await Promise.all([readFile(from), stat(from)])
  return {path, bytes, mode: (mode & EXECUTABLE) === 0 ? 0o644 : 0o755}
}

/**
 * Reads the files below a directory that are wanted, as entries below `path`.
 * @param isWanted gets each file's path from that directory, with `/`
 */
export async function copiesBelow(
  directory: string,
  path: string,
  isWanted: (file: string) => boolean,
): Promise<readonly Entry[]> {
  const found = await readdir(directory, {recursive: true, withFileTypes: true})
  const files = found
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(directory.length + 1))
    .filter((file) => !file.includes('node_modules/') && isWanted(file))
  return Promise.all(files.map((file) => copyOf(join(directory, file), `${path}/${file}`)))
}

/** Returns the entries in the order of their paths, so that the same files always make the same archive. */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Returns the directories that hold the entries, parents first, without `.`. */
export function directoriesOf(entries: readonly Entry[]): readonly string[] {
  const directories = new Set<string>()
  for (const {path} of entries) {
    const parts = path.split('/').slice(0, -1)
    for (let depth = 1; depth <= parts.length; depth += 1) directories.add(parts.slice(0, depth).join('/'))
  }
  return [...directories].toSorted()
}

/** Returns the entries at other paths. */
export function moved(entries: readonly Entry[], pathOf: (path: string) => string): readonly Entry[] {
  return entries.map((entry) => ({...entry, path: pathOf(entry.path)}))
}
