import {lstat, readdir, rename, rm, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import type {SignatureKey} from '../../signature/keys.js'
import {signatureOf} from '../../signature/signature.js'
import {checksumsPath, formatChecksums, type FileChecksum} from '../../volumes/checksums.js'
import {parseVolumeName, volumeName} from '../../volumes/volume-names.js'
import type {WrittenVolume} from './volume-writer.js'
import {absent, refused, writeFailed} from '../write-error.js'

/** A bundle's files after they got their names. */
export interface PublishedBundle {
  readonly files: readonly FileChecksum[]
  readonly checksums: {readonly path: string; readonly text: string}
}

/**
 * Gives finished files a bundle's name, or volume names if there are several. Removes an older bundle of this name with
 * all its volumes. The checksum file comes last, with its signature.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function publishFiles(
  path: string,
  volumes: readonly WrittenVolume[],
  {signKey}: {readonly signKey?: SignatureKey | undefined} = {},
): Promise<PublishedBundle> {
  const name = basename(path)
  const files = volumes.map(({size, sha256, head}, index) => ({
    name: volumes.length === 1 ? name : volumeName(name, index + 1),
    size,
    sha256,
    head,
  }))
  const checksums = {path: checksumsPath(path), text: formatChecksums(files)}
  try {
    await rm(checksums.path, {force: true})
    await rm(`${checksums.path}.sig`, {force: true})
    for (const [index, volume] of volumes.entries()) {
      await rename(volume.path, join(dirname(path), files[index]?.name ?? name))
    }
    await removeOthers(path, new Set(files.map((file) => file.name)))
    if (signKey !== undefined) {
      const signature = signatureOf(Buffer.from(checksums.text), signKey)
      await writeFile(`${checksums.path}.sig`, signature, {flush: true})
    }
    await writeFile(`${checksums.path}.tmp`, checksums.text, {flush: true})
    await rename(`${checksums.path}.tmp`, checksums.path)
    return {files, checksums}
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}

/**
 * Gives a finished directory the name of a bundle, in place of an older layout.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function publishDirectory(path: string, finished: string): Promise<void> {
  const old = `${finished}.old`
  try {
    await rm(old, {recursive: true, force: true})
    if ((await lstat(path).catch(absent)) !== undefined) await rename(path, old)
    await rename(finished, path)
    await rm(old, {recursive: true, force: true})
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}

/** @throws {MirrorError} USAGE if the path exists and is neither a layout nor an empty directory */
export async function checkDirectoryPath(path: string): Promise<void> {
  try {
    const stats = await lstat(path).catch(absent)
    if (stats === undefined) return
    const names = stats.isDirectory() ? await readdir(path) : ['']
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
