import {
  attachedTo,
  formatReference,
  MirrorError,
  readAll,
  limits,
  parseJsonObject,
  referrersTag,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSource,
  type Platform,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {Gathered, ImageNode} from './gather.js'
import {globMatcher, type GlobChoice} from '../names/globs.js'
import {childrenFor, matches} from '../names/platforms.js'
import type {ListedImage} from '../names/image-list.js'
import {referenceKey} from '../names/naming.js'
import {elsewhere} from '../names/unused.js'

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
  const listed = choice.listed === undefined ? undefined : listedKeys(images, choice.listed)
  const isMatch = globMatcher(choice)
  const chosen = (image: SourceImage): boolean => {
    const {name, shownAs} = image
    const text = name === undefined ? (shownAs ?? '') : formatReference(name)
    if (listed !== undefined && !keysOf(image).some((key) => listed.has(key))) return false
    return isMatch(text)
  }
  const owners = new Set(images.filter((gathered) => !isReferrer(gathered.image) && chosen(gathered.image)))
  if (owners.size === 0 && choice.include.length > 0 && listed?.size !== 0) {
    throw nothingLeft(`matches ${choice.include.join(' or ')}`, 'include')
  }
  if (!choice.referrers) return images.filter((gathered) => owners.has(gathered))
  const kept = withReferrers(
    owners,
    images.filter(({image}) => isReferrer(image)),
  )
  return images.filter((gathered) => kept.has(gathered))
}

/** The owners, then the referrers of them and of their platforms, transitively. */
export function withReferrers(
  owners: ReadonlySet<Gathered>,
  referrers: readonly Gathered[],
): ReadonlySet<Gathered> {
  const about = new Map<string, Gathered[]>()
  for (const referrer of referrers) {
    const {subject, name, shownAs} = referrer.image
    const key = subject ?? attachedTo(name?.tag ?? '') ?? attachedTo(shownAs ?? '') ?? ''
    const others = about.get(key)
    if (others === undefined) about.set(key, [referrer])
    else others.push(referrer)
  }
  const kept = new Set<Gathered>()
  const seen = new Set<ImageNode>()
  const digests: Digest[] = []
  const enter = (node: ImageNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    digests.push(node.manifest.descriptor.digest)
    for (const child of node.children) enter(child)
  }
  const keep = (gathered: Gathered): void => {
    if (kept.has(gathered)) return
    kept.add(gathered)
    if ('node' in gathered) enter(gathered.node)
  }
  for (const owner of owners) keep(owner)
  for (let digest = digests.pop(); digest !== undefined; digest = digests.pop()) {
    for (const key of [digest, referrersTag(digest)])
      for (const referrer of about.get(key) ?? []) keep(referrer)
  }
  return kept
}

/** A nameless referrer, or a cosign signature, attestation or SBOM under the tag that cosign gives it. */
function isReferrer({subject, name}: SourceImage): boolean {
  return subject !== undefined || attachedTo(name?.tag ?? '') !== undefined
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
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined
  return {os, architecture, variant: typeof variant === 'string' ? variant : undefined}
}

function keysOf({name, root}: SourceImage): readonly string[] {
  if (name === undefined) return []
  const digest = 'manifest' in root ? root.manifest.digest : undefined
  const bare = {registry: name.registry, repository: name.repository}
  const tagged = {...bare, tag: name.tag}
  return [
    referenceKey(name),
    ...(name.tag === undefined ? [] : [referenceKey(tagged)]),
    ...(digest === undefined
      ? []
      : [formatReference({...bare, digest}), formatReference({...tagged, digest})]),
  ]
}

/** A list that was made for another host has the same paths. */
function nearby(source: Reference, names: readonly Reference[]): string {
  const other = elsewhere(source, names)
  return other === undefined ? '' : ` (the bundle has ${formatReference(other)}: same path, other host)`
}

function listedKeys(images: readonly Gathered[], listed: readonly ListedImage[]): ReadonlySet<string> {
  const known = new Set(images.flatMap(({image}) => keysOf(image)))
  const lacking = listed.filter(({source}) => !known.has(referenceKey(source)))
  if (lacking.length > 0) {
    const names = images.flatMap(({image: {name}}) => (name === undefined ? [] : [name]))
    const lines = lacking.map(
      ({source, line}) => `line ${line}: ${formatReference(source)}${nearby(source, names)}`,
    )
    throw new MirrorError(
      'IMAGE_NOT_FOUND',
      [`the bundle lacks ${lacking.length} of the listed images`, ...lines].join('; '),
      {
        side: 'source',
        hint: 'Check that the list is of the same release as the source.',
      },
    )
  }
  return new Set(listed.map(({source}) => referenceKey(source)))
}
