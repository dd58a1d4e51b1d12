import {createHash, randomUUID} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {
  digestFrom,
  hexOf,
  isDigest,
  algorithmOf,
  type Digest,
  type DigestAlgorithm,
} from '@airgap-mirror/oci-client/model'
import type {BlobWriter} from '@airgap-mirror/cli/server'
import {digestSoFar, type Storage} from './storage.js'

/** Blobs as files `blobs/ALGORITHM/HEX` under a directory, which is left as it is on close. */
export async function directoryStorage(directory: string): Promise<Storage> {
  const sizes = new Map<Digest, number>()
  const pathOf = (digest: Digest): string => join(directory, 'blobs', algorithmOf(digest), hexOf(digest))
  await mkdir(join(directory, 'uploads'), {recursive: true})
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const folder = join(directory, 'blobs', algorithm)
    await mkdir(folder, {recursive: true})
    for (const hex of await readdir(folder)) {
      const digest = `${algorithm}:${hex}`
      if (isDigest(digest)) sizes.set(digest, (await stat(join(folder, hex))).size)
    }
  }
  return {
    writer: (algorithm) =>
      fileWriter({
        path: join(directory, 'uploads', randomUUID()),
        algorithm,
        keep: async (digest, path, size) => {
          await rename(path, pathOf(digest))
          sizes.set(digest, size)
        },
      }),
    size: (digest) => sizes.get(digest),
    read: (digest, {start, end}) =>
      start >= end ? emptyBytes() : createReadStream(pathOf(digest), {start, end: end - 1}),
    close: () => Promise.resolve(),
  }
}

async function fileWriter(options: {
  readonly path: string
  readonly algorithm: DigestAlgorithm
  readonly keep: (digest: Digest, path: string, size: number) => Promise<void>
}): Promise<BlobWriter> {
  const {path, algorithm, keep} = options
  const file = await open(path, 'wx')
  const hash = createHash(algorithm)
  let size = 0
  return {
    get size() {
      return size
    },
    write: async (chunk) => {
      hash.update(chunk)
      size += chunk.length
      await file.write(chunk)
    },
    digest: async (asked) => (asked === algorithm ? digestSoFar(hash, asked) : fileDigest(path, asked)),
    commit: async (digest) => {
      await file.close()
      await keep(digest, path, size)
    },
    discard: async () => {
      await file.close()
      await rm(path, {force: true})
    },
  }
}

async function fileDigest(path: string, algorithm: DigestAlgorithm): Promise<Digest> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(path), hash)
  return digestFrom(hash, algorithm)
}

async function* emptyBytes(): AsyncGenerator<Uint8Array> {}
