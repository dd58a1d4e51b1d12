import {readdir, readFile} from 'node:fs/promises'
import {join, relative} from 'node:path'
import zlib from 'node:zlib'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {makeImage, tarBytes, type Entry, type TestImage, type TestLayer} from '../kit/index.js'

/** A layer of the real files below a directory, always the same for the same files. */
export async function layerOf(root: string, directory: string): Promise<TestLayer> {
  const listed = await readdir(join(root, directory), {recursive: true, withFileTypes: true})
  const paths = listed.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const entries = await Promise.all(
    paths
      .toSorted()
      .map(async (path): Promise<Entry> => ({path: relative(root, path), bytes: await readFile(path)})),
  )
  const plain = await tarBytes(entries)
  const bytes = zlib.gzipSync(plain)
  const descriptor = {mediaType: mediaTypes.ociLayerGzip, digest: digestOf(bytes), size: bytes.length}
  return {descriptor, bytes, plain, diffId: digestOf(plain)}
}

/** An image of such layers, for one platform or several. */
export function imageOf(
  seed: string,
  base: readonly TestLayer[],
  platforms: readonly string[] = ['linux/amd64'],
): Promise<TestImage> {
  return makeImage({seed, base, layers: 0, platforms})
}
