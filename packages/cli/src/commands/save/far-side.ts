import {open} from 'node:fs/promises'
import type {RegistrySource} from '@airgap-mirror/oci-client'
import {
  isDigest,
  isJsonObject,
  limits,
  MirrorError,
  parseReference,
  type Digest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {gather, gatherImages, nodesOf, type Gathered} from '../../engine/gather.js'
import {readTextFile} from '../../files/read-file.js'
import {parseImageList} from '../../names/image-list.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import type {Run} from '../../run/run.js'

/** The content that `--since` names: a bundle, or images by their digests. */
export type OlderContent =
  {readonly bundle: string} | {readonly images: readonly Reference[]; readonly from: string}

const SNIFFED_BYTES = 512

/**
 * Reads an older content that is no bundle: the report of an earlier run, a lock file, or a list of digests.
 * @throws {MirrorError} LIST_INVALID, SOURCE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function readOlder(path: string): Promise<OlderContent> {
  const kind = await kindOf(path)
  if (kind === 'bundle') return {bundle: path}
  const text = await readTextFile(path, {flag: '--since', limit: limits.listBytes, code: 'LIST_INVALID'})
  return {images: kind === 'report' ? imagesInReport(text, path) : imagesInList(text, path), from: path}
}

export interface FarSideOptions {
  readonly source: RegistrySource
  readonly run: Run
  readonly scratch: string
}

/**
 * Resolves to the blobs that the far side has. Blobs of images that the source has lost are not among them and are saved again.
 * @throws {MirrorError} those of opening a bundle
 */
export async function blobsOnFarSide(
  older: readonly OlderContent[],
  {source, run, scratch}: FarSideOptions,
): Promise<ReadonlySet<Digest>> {
  const {soon: signal} = run.stop
  const blobs = new Set<Digest>()
  for (const one of older) {
    if ('bundle' in one) {
      const directory = {directory: scratch}
      const bundle = await openBundleSource(run, {
        path: one.bundle,
        layerCompression: 'none',
        scratch: directory,
      })
      addBlobs(blobs, await gather(bundle, {signal}))
      // The far side also has the blobs that an older delta bundle left out.
      for (const {digest} of bundle.description.leftOut) blobs.add(digest)
      continue
    }
    const gathered = await gatherImages(await source.imagesAt(one.images, {signal}), {source, signal})
    const lost = gathered.filter((image) => 'error' in image).length
    if (lost > 0)
      run.warn(
        `${one.from}: the source no longer has ${lost} of ${gathered.length} images, whose blobs are not left out`,
      )
    addBlobs(blobs, gathered)
  }
  return blobs
}

function addBlobs(blobs: Set<Digest>, gathered: readonly Gathered[]): void {
  for (const image of gathered) {
    if (!('node' in image)) continue
    for (const {manifest, missing} of nodesOf(image.node)) {
      if (manifest.kind === 'index') continue
      const lacking = new Set(missing.map(({digest}) => digest))
      for (const {digest} of [manifest.config, ...manifest.layers])
        if (!lacking.has(digest)) blobs.add(digest)
    }
  }
}

async function kindOf(path: string): Promise<'bundle' | 'report' | 'list'> {
  try {
    await using file = await open(path)
    if ((await file.stat()).isDirectory()) return 'bundle'
    const {buffer, bytesRead} = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    if (head.some((byte) => byte === 0 || byte >= 0xf5)) return 'bundle'
    return head.toString('latin1').trimStart().startsWith('{') ? 'report' : 'list'
  } catch {
    // A bundle in volumes has no file of its own name. In other cases opening the bundle reports the error.
    return 'bundle'
  }
}

function imagesInList(text: string, path: string): readonly Reference[] {
  return parseImageList(text, path).map(({source, line}) => {
    if (source.digest !== undefined) return source
    throw new MirrorError('LIST_INVALID', `--since ${path}: line ${line} has no digest`, {
      side: 'source',
      hint: 'Give a lock file, a report or a bundle: a tag alone does not say what the far side has.',
    })
  })
}

function imagesInReport(text: string, path: string): readonly Reference[] {
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch {
    report = undefined
  }
  const images =
    isJsonObject(report) && report['schema'] === 'mirror.report/v1' ? report['images'] : undefined
  if (!Array.isArray(images)) {
    throw new MirrorError('LIST_INVALID', `--since ${path} is no report of mirror`, {side: 'source'})
  }
  return images
    .filter(isJsonObject)
    .flatMap(({source, sourceDigest, targetDigest, status}): readonly Reference[] => {
      const isThere = status === 'pushed' || status === 'present'
      // Under another digest, only some of the platforms may be there.
      if (!isThere || !isDigest(sourceDigest) || sourceDigest !== targetDigest || typeof source !== 'string')
        return []
      return [{...parseReference(source), digest: sourceDigest}]
    })
}
