import {
  formatReference,
  MirrorError,
  type Digest,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {referenceKey, type NamingRules} from '../../names/naming.js'
import type {ChosenImage} from './choose-image.js'
import {cosignTagOf} from './cosign-tag.js'
import type {Place} from './place.js'

/** A copy in the words of the engine, which knows images by names and places them by rules. */
export interface PreparedCopy {
  readonly images: readonly SourceImage[]
  readonly rules: NamingRules
  /** What the engine calls the image, and what it goes with, in the words of the command line. */
  readonly sourceLabel: (text: string) => string
  readonly targetLabel: (text: string) => string
}

/** Stands where files have no registry. Nothing is ever asked of it. */
const NO_REGISTRY = 'localhost'
/** The tag of the image itself in a file. */
const MAIN_TAG = 'latest'

/** @throws {MirrorError} USAGE where the target is a digest, and not the image's */
export function prepareCopy(
  {image, referrers}: ChosenImage,
  {from, to}: {readonly from: Place; readonly to: Place},
): PreparedCopy {
  if (to.transport === 'docker') refuseOtherDigest(image, to.reference)
  // Without a tag: the engine takes what has cosign's for a part of something else.
  const name = sourceName(image, from)
  const target = targetName(to)
  const {root, digestChanged} = image
  const main: SourceImage = {name, root, ...(digestChanged === undefined ? {} : {digestChanged})}
  const map = new Map([[referenceKey(name), formatReference(target)]])
  const others = referrers.map((referrer): SourceImage => {
    const tag = cosignTagOf(referrer)
    if (referrer.subject !== undefined || tag === undefined) return referrer
    const tagged = {...name, tag}
    map.set(
      referenceKey(tagged),
      formatReference({registry: target.registry, repository: target.repository, tag}),
    )
    return {name: tagged, root: referrer.root}
  })
  return {
    images: [main, ...others],
    rules: {
      registry: target.registry,
      namespace: '',
      mapHost: 'drop',
      rewrites: [],
      map,
      maxDepth: undefined,
    },
    sourceLabel: labelling(name, {main: formatReference(name), place: from}),
    targetLabel: labelling(target, {main: formatReference(target), place: to}),
  }
}

/**
 * The name of an image in the index of a layout, by the reference under which the engine puts it; undefined for manifests that
 * belong to another. Signatures keep cosign's tag, with the repository before it where REF has one.
 */
export function refNameOf(
  {tag}: Reference,
  ref: string | undefined,
): {readonly refName?: string} | undefined {
  if (tag === undefined) return undefined
  if (tag === MAIN_TAG) return ref === undefined ? {} : {refName: ref}
  const repository = ref?.includes('/') === true ? `${ref.replace(/(?<=\/[^/]*)[:@].*$/, '')}:` : ''
  return {refName: `${repository}${tag}`}
}

function sourceName(image: SourceImage, from: Place): Reference {
  const name = from.transport === 'docker' ? from.reference : image.name
  return name === undefined
    ? {registry: NO_REGISTRY, repository: 'image'}
    : {registry: name.registry, repository: name.repository}
}

function targetName(to: Place): Reference {
  return to.transport === 'docker'
    ? to.reference
    : {registry: NO_REGISTRY, repository: componentOf(to.path), tag: MAIN_TAG}
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

function labelling(name: Reference, {main, place}: {readonly main: string; readonly place: Place}) {
  return (text: string): string => {
    if (text === main) return place.text
    if (place.transport === 'docker') return text
    const bare = formatReference({registry: name.registry, repository: name.repository})
    const isBelow = text.startsWith(bare) && (text[bare.length] === ':' || text[bare.length] === '@')
    return isBelow ? `${place.transport}:${place.path}${text.slice(bare.length)}` : text
  }
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
