import {
  formatReference,
  MirrorError,
  readAll,
  limits,
  parseJsonObject,
  type CallOptions,
  type Descriptor,
  type ImageSource,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import type {Gathered, ImageNode} from './gather.js'
import {listedImages} from './listed-images.js'
import {isReferrer, ownSubject, withReferrers} from './referrer-families.js'
import {globMatcher, type GlobChoice} from '../names/globs.js'
import {childrenFor, matches} from '../names/platforms.js'
import type {ListedImage} from '../names/image-list.js'

export interface Choice extends GlobChoice {
  /** From `--images`; absent: all. */
  readonly listed?: readonly ListedImage[]
  readonly referrers: boolean
}

/**
 * Returns the requested images, in the source's order. Referrers and cosign tags come along with their images.
 * @throws {MirrorError} IMAGE_NOT_FOUND naming every listed image that the source lacks, or if `include` matches none
 */
export function selectImages(images: readonly Gathered[], choice: Choice): readonly Gathered[] {
  const listed =
    choice.listed === undefined ? undefined : listedImages(images, {...choice, listed: choice.listed})
  const isMatch = globMatcher(choice)
  const isChosen = (gathered: Gathered): boolean => {
    const {name, shownAs} = gathered.image
    const text = name === undefined ? (shownAs ?? '') : formatReference(name)
    return (listed === undefined || listed.has(gathered)) && isMatch(text)
  }
  const owners = new Set(images.filter((gathered) => !isReferrer(gathered.image) && isChosen(gathered)))
  if (owners.size === 0 && choice.include.length > 0 && listed?.size !== 0) {
    throw nothingLeft(`matches ${choice.include.join(' or ')}`, 'include')
  }
  if (!choice.referrers) return images.filter((gathered) => owners.has(gathered))
  const repositories = new Set([...owners].map(repositoryOf))
  const referrers = images.filter(
    (one) => isReferrer(one.image) || (ownSubject(one) !== undefined && repositories.has(repositoryOf(one))),
  )
  const kept = withReferrers(owners, referrers)
  return images.filter((gathered) => kept.has(gathered))
}

function repositoryOf({image: {name}}: Gathered): string | undefined {
  return name === undefined ? undefined : `${name.registry}/${name.repository}`
}

/** Keeps the children of these platforms in every index. The others count as absent. */
export function choosePlatforms(root: ImageNode, wanted: readonly Platform[]): ImageNode {
  if (root.manifest.kind !== 'index') return root
  const kept = childrenFor(root.manifest.children, wanted)
  const children = root.children.filter((child) => kept.has(child.manifest.descriptor.digest))
  const present = new Set(children.map((child) => child.manifest.descriptor.digest))
  return {...root, children, absent: root.manifest.children.filter((child) => !present.has(child.digest))}
}

/** Returns true if the index lists a child for any of the wanted platforms. */
export function hasPlatform(index: ImageNode, wanted: readonly Platform[]): boolean {
  return (
    index.manifest.kind === 'index' &&
    index.manifest.children.some((child) => wanted.some((platform) => matches(child.platform, platform)))
  )
}

/** A slip of the pen in a flag must not look like a run in which all went well. */
export function nothingLeft(what: string, flag: 'include' | 'platform'): MirrorError {
  return new MirrorError('IMAGE_NOT_FOUND', `no image of the source ${what}`, {
    side: 'source',
    advice: {kind: 'check-choice', flag},
  })
}

/** Resolves to true if a single-platform image is for a wanted platform, or does not name its platform. */
export async function isForPlatform(
  config: Descriptor,
  wanted: readonly Platform[],
  options: CallOptions & {readonly source: ImageSource},
): Promise<boolean> {
  const own = await platformOf(config, options)
  return own === undefined || wanted.some((platform) => matches(own, platform))
}

/** The platform of a single-platform image, which only its config tells; undefined if that is not there or does not say. */
export async function platformOf(
  config: Descriptor,
  {source, ...options}: CallOptions & {readonly source: ImageSource},
): Promise<Platform | undefined> {
  if (!source.has(config)) return undefined
  const bytes = await readAll(source.blob(config).open(options), {
    limit: limits.configBytes,
    what: `config ${config.digest}`,
  })
  const {os, architecture, variant} = parseJsonObject(bytes, `config ${config.digest}`, {strict: false})
  // The configs of cosign's signatures, and of images that crane makes of mere files, have both members empty.
  if (!isText(os) || !isText(architecture)) return undefined
  return {os, architecture, variant: typeof variant === 'string' ? variant : undefined}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
