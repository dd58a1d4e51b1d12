import {createHash} from 'node:crypto'
import {open, readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {
  cancelled,
  isMirrorError,
  limits,
  messageOf,
  MirrorError,
  type Bytes,
  type CallOptions,
} from '@airgap-mirror/oci-client/model'
import {bundleName, checksumsPath, parseChecksums, parseDirectoryChecksums} from '../volumes/checksums.js'
import {parseVolumeName} from '../volumes/volume-names.js'
import {findVolumes, type FindVolumesOptions} from '../volumes/volume-set.js'
import {filesBelow} from './files-below.js'

/** A bundle and its checksum file, which need not exist. */
export interface BundlePlace {
  /** As it was given: reading the bundle begins with it. */
  readonly path: string
  /** Without the number of a volume. */
  readonly bundle: string
  readonly isDirectory: boolean
  readonly checksums: string
}

export interface CompareOptions extends CallOptions, FindVolumesOptions {
  /** For messages: signed, or written. */
  readonly was: string
  readonly refuse: (message: string) => MirrorError
}

const CHUNK_BYTES = 1024 * 1024

/** Returns the place of the bundle that a path leads to. */
export async function placeOf(path: string): Promise<BundlePlace> {
  const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() === true
  const bundle = isDirectory ? path.replace(/(?<=.)[/\\]+$/, '') : bundleName(path)
  return {path, bundle, isDirectory, checksums: checksumsPath(bundle)}
}

/** Returns the files that reading a bundle opens: its volumes, or the file itself. @throws {MirrorError} of `findVolumes` */
export async function openedFiles(path: string, options: FindVolumesOptions): Promise<readonly string[]> {
  const found = await findVolumes(path, options)
  return found === undefined ? [path] : found.volumes.map((volume) => volume.path)
}

/**
 * Compares a bundle's files with the text of its checksum file. Reads all of them.
 * @throws {MirrorError} of `refuse`, SOURCE_UNREADABLE, SOURCE_CORRUPT for a line that is no checksum
 */
export async function compareFiles(place: BundlePlace, text: string, options: CompareOptions): Promise<void> {
  await (place.isDirectory ? compareDirectory(place, text, options) : compareVolumes(place, text, options))
}

/** A file that reading would open and that the list lacks is refused: a file and volumes may have one name. */
async function compareVolumes(
  {path, bundle, checksums}: BundlePlace,
  text: string,
  options: CompareOptions,
): Promise<void> {
  const {refuse, was} = options
  const files = parseChecksums(text, checksums)
  const isOfBundle = (name: string): boolean =>
    name === basename(bundle) || parseVolumeName(name)?.name === basename(bundle)
  if (files.length === 0 || !files.every(({name}) => isOfBundle(name))) {
    throw refuse(`${checksums} does not list the files of ${bundle}`)
  }
  const opened = await openedFiles(path, options).catch((error: unknown) => {
    throw isMirrorError(error) && error.code === 'SOURCE_CORRUPT' ? refuse(error.message) : error
  })
  const listed = new Set(files.map(({name}) => name))
  const stray = opened.find((file) => !listed.has(basename(file)))
  if (stray !== undefined) throw refuse(strayFile(stray, was))
  const places = new Map(opened.map((file) => [basename(file), file]))
  for (const {name, sha256} of files) {
    const file = places.get(name) ?? join(dirname(bundle), name)
    if ((await sha256Of(file, options)) !== sha256) throw refuse(other(file, was))
  }
}

/** A file that the list lacks is refused, because it could change the meaning of the directory. */
async function compareDirectory(
  {bundle, checksums}: BundlePlace,
  text: string,
  options: CompareOptions,
): Promise<void> {
  const {refuse, was} = options
  const listed = parseDirectoryChecksums(text, checksums, basename(bundle))
  const found = await filesBelow(bundle, options)
  const stray = found.find((path) => !listed.has(path))
  if (stray !== undefined) throw refuse(strayFile(join(bundle, stray), was))
  for (const [path, sha256] of listed) {
    const file = join(bundle, path)
    if ((await sha256Of(file, options)) !== sha256) throw refuse(other(file, was))
  }
}

async function sha256Of(file: string, options: CallOptions): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytesOf(file, options)) hash.update(chunk)
  return hash.digest('hex')
}

function other(file: string, was: string): string {
  return `${file} is not the file that was ${was}`
}

function strayFile(file: string, was: string): string {
  return `${file} is not among the files that were ${was}`
}

/** Yields a file's bytes. @throws {MirrorError} SOURCE_UNREADABLE, CANCELLED */
export async function* bytesOf(path: string, {signal}: CallOptions): Bytes {
  try {
    await using file = await open(path)
    for (;;) {
      if (signal?.aborted) throw cancelled(signal)
      const {bytesRead, buffer} = await file.read({buffer: Buffer.allocUnsafe(CHUNK_BYTES)})
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (cause) {
    throw signal?.aborted === true ? cause : unreadable(path, cause)
  }
}

/** Reads a checksum file or a signature. @throws {MirrorError} SOURCE_UNREADABLE, LIMIT_EXCEEDED */
export async function readSmall(path: string): Promise<Uint8Array> {
  try {
    const {size} = await stat(path)
    if (size <= limits.checksumsBytes) return await readFile(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw new MirrorError('LIMIT_EXCEEDED', `${path} is over the limit of ${limits.checksumsBytes} bytes`, {
    side: 'source',
  })
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

function unreadable(path: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, {
    side: 'source',
    cause,
  })
}
