import {
  formatPlatform,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type ImageSource,
  type Platform,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {hasPlatform} from '../../engine/select.js'
import type {SparsePolicy} from '../../engine/sparse.js'

export interface NarrowOptions extends CallOptions {
  readonly source: ImageSource
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
}

/** An image, and the choices left to the engine. */
export interface NarrowedImage extends Pick<NarrowOptions, 'platforms' | 'sparse'> {
  readonly image: SourceImage
}

/**
 * With `--platform`, an index becomes its one manifest for that platform, as `--override-arch` of skopeo and `--platform` of
 * crane have it; an index of several is left to the engine, which cuts it down. `prune` and `as-is` keep the index.
 * @throws {MirrorError} IMAGE_NOT_FOUND if there is none, and the errors of the source
 */
export async function narrowImage(image: SourceImage, options: NarrowOptions): Promise<NarrowedImage> {
  const {platforms, sparse, source, signal} = options
  const asIs = {image, platforms, sparse}
  if (platforms.length === 0 || !('manifest' in image.root)) return asIs
  const index = await source.manifest(image.root.manifest, {signal})
  if (index.kind !== 'index') return asIs
  const isWanted = (child: Descriptor): boolean =>
    hasPlatform({manifest: {...index, children: [child]}, children: [], absent: [], missing: []}, platforms)
  const [only, ...more] = index.children.filter(isWanted)
  const wanted = platforms.map(formatPlatform).join(' and ')
  if (only === undefined) throw noneFor(wanted, index.children)
  if (sparse === 'prune' || sparse === 'as-is') return asIs
  if (more.length > 0) return sparse === 'auto' ? {...asIs, sparse: 'prune'} : asIs
  const reason = `only ${wanted} was asked for, so the index is replaced by its manifest for that platform`
  return {image: {...image, root: {manifest: only}, digestChanged: reason}, platforms: [], sparse}
}

function noneFor(wanted: string, children: readonly Descriptor[]): MirrorError {
  const known = children.flatMap(({platform}) =>
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  )
  return new MirrorError('IMAGE_NOT_FOUND', `the image is not for ${wanted}`, {
    side: 'source',
    hint: known.length === 0 ? undefined : `It is for ${known.slice(0, 20).join(', ')}.`,
  })
}
