import {createHash} from 'node:crypto'
import type {Stats} from 'node:fs'
import {open, readdir, readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {ifAbsent, limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {checksumsPath, HEAD_BYTES, parseChecksums, type FileChecksum} from './checksums.js'
import {parseVolumeName, volumeName} from './volume-names.js'

/** A bundle in several files. */
export interface VolumeSet {
  /** For messages: the path without a number. */
  readonly name: string
  readonly size: number
  readonly volumes: readonly {readonly path: string; readonly size: number}[]
}

export interface FindVolumesOptions {
  /** Called for a volume that is missing beside the others. @returns the directory to look in; undefined to give up */
  readonly locateVolume?: (name: string) => Promise<string | undefined>
}

type Listed = Pick<FileChecksum, 'name'> & Partial<FileChecksum>

/**
 * Finds the volumes of a bundle by the path of any volume, or by the bundle's name without a number. Sizes and heads are
 * checked against the checksum file, if there is one; whole volumes are not read.
 * @returns undefined for any other path
 * @throws {MirrorError} SOURCE_UNREADABLE naming a missing volume, SOURCE_CORRUPT naming a wrong volume, LIMIT_EXCEEDED
 */
export async function findVolumes(
  path: string,
  options: FindVolumesOptions = {},
): Promise<VolumeSet | undefined> {
  const named = parseVolumeName(path)
  const name = named?.name ?? basename(path)
  const bundle = join(dirname(path), name)
  if (named === undefined && (path === '-' || (await statsOf(path)) !== undefined)) return undefined
  const listed = await listedVolumes(bundle)
  const expected = listed ?? (await foundVolumes(bundle))
  if (expected.length === 0 || (listed === undefined && named !== undefined && expected.length === 1)) {
    return undefined
  }
  const volumes: {readonly path: string; readonly size: number}[] = []
  for (const volume of expected) volumes.push(await findVolume(volume, {bundle, expected, ...options}))
  return {name: bundle, size: volumes.reduce((sum, {size}) => sum + size, 0), volumes}
}

interface SetOptions extends FindVolumesOptions {
  readonly bundle: string
  readonly expected: readonly Listed[]
}

async function findVolume(volume: Listed, options: SetOptions): Promise<VolumeSet['volumes'][number]> {
  let directory: string | undefined = dirname(options.bundle)
  while (directory !== undefined) {
    const path = join(directory, volume.name)
    const size = await sizeOf(path)
    if (size !== undefined) {
      await refuseOther(path, {size, volume, ...options})
      return {path, size}
    }
    directory = await options.locateVolume?.(volume.name)
  }
  const {bundle, expected} = options
  throw new MirrorError(
    'SOURCE_UNREADABLE',
    `the volume ${volume.name} of ${bundle} is missing: it has ${expected.length} volumes`,
    {side: 'source', advice: {kind: 'collect-volumes'}},
  )
}

async function refuseOther(
  path: string,
  {size, volume, expected}: SetOptions & {readonly size: number; readonly volume: Listed},
): Promise<void> {
  const head = volume.head === undefined ? undefined : await headOf(path)
  if ((volume.size ?? size) === size && head === volume.head) return
  const other = expected.find((each) => head !== undefined && each.head === head && each !== volume)
  const why =
    other !== undefined
      ? `it begins as ${other.name}`
      : head !== volume.head
        ? 'its beginning is another'
        : `it has ${size} bytes instead of ${volume.size}`
  throw new MirrorError('SOURCE_CORRUPT', `${path} is not the volume ${volume.name} of its bundle: ${why}`, {
    side: 'source',
    advice: {kind: 'copy-volumes-again'},
  })
}

/** Returns the volumes of the checksum file; undefined without a checksum file, or if it lists no volumes. */
async function listedVolumes(bundle: string): Promise<readonly Listed[] | undefined> {
  const path = checksumsPath(bundle)
  const size = await sizeOf(path)
  if (size === undefined) return undefined
  if (size > limits.checksumsBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${path} has ${size} bytes: over the limit of ${limits.checksumsBytes}`,
      {
        side: 'source',
      },
    )
  }
  const files = parseChecksums(await readFile(path, 'utf8').catch(throwUnreadable(path)), path)
  const volumes = files.filter((file) => parseVolumeName(file.name)?.name === basename(bundle))
  return volumes.length === 0 ? undefined : volumes
}

/** Returns the volumes in the directory up to the highest number, so that a gap is noticed. */
async function foundVolumes(bundle: string): Promise<readonly Listed[]> {
  const names = await readdir(dirname(bundle)).catch(() => [])
  const numbers = names.flatMap((found) => {
    const parsed = parseVolumeName(found)
    return parsed?.name === basename(bundle) ? [parsed.number] : []
  })
  const count = Math.max(0, ...numbers)
  if (count > limits.volumes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${bundle} has over ${limits.volumes} volumes`, {side: 'source'})
  }
  return Array.from({length: count}, (_, index) => ({name: volumeName(basename(bundle), index + 1)}))
}

async function headOf(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const buffer = Buffer.alloc(HEAD_BYTES)
    const {bytesRead} = await file.read(buffer, 0, HEAD_BYTES, 0)
    return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex')
  } catch (cause) {
    return throwUnreadable(path)(cause)
  }
}

/** Returns the size of a file; undefined if it is missing. A pipe is refused, because it would keep its reader waiting. */
async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await statsOf(path)
  if (stats?.isFile() === false) throwUnreadable(path)('it is not a plain file')
  return stats?.size
}

function statsOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(ifAbsent).catch(throwUnreadable(path))
}

function throwUnreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new MirrorError('SOURCE_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, {
      side: 'source',
      cause,
    })
  }
}
