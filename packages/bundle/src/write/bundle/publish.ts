import {lstat, readdir, rename, rm, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import type {SignatureKey} from '../../signature/keys.js'
import {signatureOf} from '../../signature/signature.js'
import {
  checksumsPath,
  formatChecksums,
  formatDirectoryChecksums,
  type FileChecksum,
} from '../../volumes/checksums.js'
import {parseVolumeName, volumeName} from '../../volumes/volume-names.js'
import type {WrittenVolume} from './volume-writer.js'
import {refused, writeFailed} from '../write-error.js'
import {ifAbsent} from '@airgap-mirror/oci-client/model'

/** A bundle's files after they got their names. */
export interface PublishedBundle {
  readonly files: readonly FileChecksum[]
}

export interface SigningOptions {
  readonly signKey?: SignatureKey
}

/**
 * Gives finished files a bundle's name, or volume names if there are several. Removes an older bundle of this name with
 * all its volumes. The checksum file comes last, with its signature.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function publishFiles(
  path: string,
  volumes: readonly WrittenVolume[],
  options: SigningOptions = {},
): Promise<PublishedBundle> {
  const name = basename(path)
  const files = volumes.map(({size, sha256, head}, index) => ({
    name: volumes.length === 1 ? name : volumeName(name, index + 1),
    size,
    sha256,
    head,
  }))
  try {
    await removeChecksums(path)
    for (const [index, volume] of volumes.entries()) {
      await rename(volume.path, join(dirname(path), files[index]?.name ?? name))
    }
    await removeOthers(path, new Set(files.map((file) => file.name)))
    await writeChecksums(path, formatChecksums(files), options)
    return {files}
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}

async function removeChecksums(path: string): Promise<void> {
  await rm(checksumsPath(path), {force: true})
  await rm(`${checksumsPath(path)}.sig`, {force: true})
}

async function writeChecksums(path: string, text: string, {signKey}: SigningOptions): Promise<void> {
  const checksums = checksumsPath(path)
  if (signKey !== undefined) {
    await writeFile(`${checksums}.sig`, signatureOf(Buffer.from(text), signKey), {flush: true})
  }
  await writeFile(`${checksums}.tmp`, text, {flush: true})
  await rename(`${checksums}.tmp`, checksums)
}

export interface PublishDirectoryOptions extends SigningOptions {
  /** SHA-256 in hex of each file by its path in the directory. */
  readonly sums: ReadonlyMap<string, string>
}

/**
 * Gives a finished directory the name of a bundle, in place of an older layout. The checksum file beside it comes last,
 * with its signature.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function publishDirectory(
  path: string,
  finished: string,
  {sums, ...options}: PublishDirectoryOptions,
): Promise<void> {
  const old = `${finished}.old`
  try {
    await removeChecksums(path)
    await rm(old, {recursive: true, force: true})
    if ((await lstat(path).catch(ifAbsent)) !== undefined) await rename(path, old)
    await rename(finished, path)
    await rm(old, {recursive: true, force: true})
    await writeChecksums(path, formatDirectoryChecksums(basename(path), sums), options)
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}

/** @throws {MirrorError} USAGE if the path exists and is neither a layout nor an empty directory */
export async function checkDirectoryPath(path: string): Promise<void> {
  try {
    const stats = await lstat(path).catch(ifAbsent)
    if (stats === undefined) return
    if (!stats.isDirectory()) {
      const kind = stats.isSymbolicLink() ? 'a symbolic link' : 'not a directory'
      throw refused(`${path} is ${kind}`, {kind: 'use-empty-directory'})
    }
    const names = await readdir(path)
    if (names.length === 0 || names.includes('oci-layout')) return
  } catch (cause) {
    throw writeFailed(path, cause)
  }
  throw refused(`${path} is something else than an OCI layout`, {kind: 'use-another-directory'})
}

async function removeOthers(path: string, kept: ReadonlySet<string>): Promise<void> {
  const name = basename(path)
  for (const found of await readdir(dirname(path))) {
    const isOfBundle = found === name || parseVolumeName(found)?.name === name
    if (isOfBundle && !kept.has(found)) await rm(join(dirname(path), found), {force: true})
  }
}
