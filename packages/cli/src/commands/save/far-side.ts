import type {RegistrySource} from '@airgap-mirror/oci-client'
import type {Digest} from '@airgap-mirror/oci-client/model'
import {gather, gatherImages, nodesOf, type Gathered, type GatherOptions} from '../../engine/gather.js'
import {childrenWithout} from '../../names/locked-parts.js'
import type {OlderContent, OlderImage} from '../../run/older-content.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import type {Run} from '../../run/run.js'

export interface FarSideOptions {
  readonly source: RegistrySource
  readonly run: Run
  readonly scratch: string
}

/**
 * Resolves to the blobs that the far side has. Blobs of images that the source has lost are not among them and are saved again.
 * @throws {MirrorError} the errors of opening a bundle
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
    const references = one.images.map(({reference}) => reference)
    const gathered = await gatherImages(await source.imagesAt(references, {signal}), {
      source,
      chosen: takenOf(one.images),
      signal,
    })
    const lost = gathered.filter((image) => 'error' in image).length
    if (lost > 0)
      run.warn(
        `${one.from}: the source no longer has ${lost} of ${gathered.length} images, whose blobs are not left out`,
      )
    addBlobs(blobs, gathered)
  }
  return blobs
}

/** The children of an index that the far side has, where a lock file says that others were left out; undefined: all. */
function takenOf(images: readonly OlderImage[]): GatherOptions['chosen'] {
  const leftOut = new Set(
    images.flatMap(({parts = []}) => parts.filter((part) => part.leftOut).map(({digest}) => digest)),
  )
  return leftOut.size === 0 ? undefined : (children) => childrenWithout(children, leftOut)
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
