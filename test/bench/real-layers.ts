import {createReadStream, createWriteStream} from 'node:fs'
import {mkdir, readdir, rename, stat} from 'node:fs/promises'
import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {createGzip} from 'node:zlib'
import {pack} from 'tar-stream'
import type {Digest} from '@airgap-mirror/oci-client/model'

/** A layer on disk, plain and gzipped. Sizes in bytes. */
export interface DiskLayer {
  readonly plain: string
  readonly diffId: Digest
  readonly plainSize: number
  readonly gzip: string
  readonly digest: Digest
  readonly size: number
}

/**
 * Cuts the machine's own files into layers of the given plain sizes, in the order of their paths: the same layers every time
 * on the same machine.
 */
export async function makeLayers(directory: string, sizes: readonly number[]): Promise<readonly DiskLayer[]> {
  await mkdir(directory, {recursive: true})
  const files = realFiles(['/usr/lib', '/usr/share', '/usr/bin'])
  const layers: DiskLayer[] = []
  for (const [index, size] of sizes.entries())
    layers.push(await makeLayer(join(directory, `layer-${index}`), files, size))
  return layers
}

interface RealFile {
  readonly path: string
  readonly size: number
}

async function* realFiles(roots: readonly string[]): AsyncGenerator<RealFile, void, undefined> {
  for (const root of roots) {
    const entries = await readdir(root, {withFileTypes: true})
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(root, entry.name)
      if (entry.isDirectory()) yield* realFiles([path])
      else if (entry.isFile()) yield {path, size: (await stat(path)).size}
    }
  }
}

async function makeLayer(
  path: string,
  files: AsyncGenerator<RealFile, void, undefined>,
  wanted: number,
): Promise<DiskLayer> {
  const tar = pack()
  const filled = (async () => {
    let size = 0
    while (size < wanted) {
      const next = await files.next()
      if (next.done === true) throw new Error('this machine has too few files for a bundle of that size')
      if (next.value.size === 0 || next.value.size > wanted) continue
      size += next.value.size
      const entry = tar.entry({name: next.value.path.slice(1), size: next.value.size, mtime: new Date(0)})
      await pipeline(createReadStream(next.value.path), entry)
    }
    tar.finalize()
  })()
  await Promise.all([pipeline(tar, createWriteStream(`${path}.part`)), filled])
  await rename(`${path}.part`, `${path}.tar`)
  await pipeline(createReadStream(`${path}.tar`), createGzip({level: 6}), createWriteStream(`${path}.tar.gz`))
  const [plain, gzip] = await Promise.all([`${path}.tar`, `${path}.tar.gz`].map(digestOfFile))
  if (plain === undefined || gzip === undefined) throw new Error(`${path} could not be read`)
  return {
    plain: `${path}.tar`,
    diffId: plain.digest,
    plainSize: plain.size,
    gzip: `${path}.tar.gz`,
    digest: gzip.digest,
    size: gzip.size,
  }
}

async function digestOfFile(path: string): Promise<{digest: Digest; size: number}> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    size += chunk.length
  }
  return {digest: `sha256:${hash.digest('hex')}`, size}
}
