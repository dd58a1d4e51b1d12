import {
  formatReference,
  MirrorError,
  type CallOptions,
  type Digest,
  type ImageSource,
  type Platform,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {gatherImages} from '../../engine/gather.js'
import type {NameOf} from '../../engine/name-of.js'
import {namePairs} from '../../engine/name-pairs.js'
import type {Pair} from '../../engine/pair.js'
import {withReferrers} from '../../engine/referrer-families.js'
import type {ChosenImage} from './choose-image.js'
import {cosignTagOf} from './cosign-tag.js'
import type {Place} from './place.js'

export interface CopyPairsOptions extends CallOptions {
  readonly from: Place
  readonly to: Place
  readonly source: ImageSource
  /** Empty: all. */
  readonly platforms: readonly Platform[]
}

/**
 * The image of a copy and the referrers that belong to it, each with its place; the image first.
 * @throws {MirrorError} USAGE if the target is a digest, and not the image's; those of `namePairs`
 */
export async function copyPairs(
  {image, referrers}: ChosenImage,
  {from, to, source, platforms, signal}: CopyPairsOptions,
): Promise<readonly Pair[]> {
  if (to.transport === 'docker') refuseOtherDigest(image, to.reference)
  const [main, ...others] = await gatherImages([image, ...referrers], {source, signal})
  if (main === undefined) throw new Error('one image was read and none came back')
  if ('error' in main) throw main.error
  const all = [...withReferrers(new Set([main]), others)]
  return namePairs(all, {source, nameOf: placing(image, {from, to}), platforms, signal})
}

/**
 * Names the image as the command line does, and its signatures by cosign's tags beside it. In a layout the tag of a place is
 * the name of its entry in the index; empty for an image without a name.
 */
function placing(main: SourceImage, {from, to}: {readonly from: Place; readonly to: Place}): NameOf {
  const base = {source: baseOf(from), target: baseOf(to)}
  return (image) => {
    if (image === main) return {target: placeOf(to), label: {source: from.text, target: to.text}, base}
    const tag = cosignTagOf(image) ?? ''
    const label = {source: `${base.source}:${tag}`, target: `${base.target}:${tag}`}
    const {registry, repository} = placeOf(to)
    return {target: {registry, repository, tag: entryName(tag, to)}, label, base}
  }
}

function baseOf(place: Place): string {
  if (place.transport !== 'docker') return `${place.transport}:${place.path}`
  const {registry, repository} = place.reference
  return formatReference({registry, repository})
}

function placeOf(to: Place): Reference {
  return to.transport === 'docker'
    ? to.reference
    : {registry: '', repository: componentOf(to.path), tag: to.ref ?? ''}
}

/** Signatures in a layout have the repository before their tag if the image's name has one. */
function entryName(tag: string, to: Place): string {
  if (to.transport === 'docker' || to.ref?.includes('/') !== true) return tag
  return `${to.ref.replace(/(?<=\/[^/]*)[:@].*$/, '')}:${tag}`
}

/** A path's last part, as far as a repository can be called so: for progress. */
function componentOf(path: string): string {
  const last =
    path
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1) ?? ''
  const component = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60)
    .replace(/-$/, '')
  return component === '' ? 'image' : component
}

function refuseOtherDigest({root}: SourceImage, {digest}: Reference): void {
  if (digest === undefined) return
  const own: Digest | undefined = 'manifest' in root ? root.manifest.digest : undefined
  if (own === digest) return
  throw new MirrorError(
    'USAGE',
    own === undefined
      ? `DST names the digest ${digest}, and the image gets one only on the way`
      : `DST names the digest ${digest}, and the image has ${own}`,
    {side: 'target', hint: 'Name a tag instead.'},
  )
}
