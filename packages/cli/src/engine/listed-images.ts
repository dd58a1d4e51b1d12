import {formatReference, MirrorError, type Reference, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {ListedImage} from '../names/image-list.js'
import {standsFor} from '../names/locked-parts.js'
import {referenceKey} from '../names/naming.js'
import {elsewhere} from '../names/unused.js'
import {rootDigest, type Gathered} from './gather.js'
import {familyOf, isReferrer, referrersAbout} from './referrer-families.js'

/**
 * Returns the images that a list names, by themselves or by a referrer of theirs, as reports and lists of failures name
 * these. So it returns no referrers.
 * @param referrers false: a listed referrer is one that is lacking
 * @throws {MirrorError} IMAGE_NOT_FOUND naming every listed image that the source lacks
 */
export function listedImages(
  images: readonly Gathered[],
  {listed, referrers}: {readonly listed: readonly ListedImage[]; readonly referrers: boolean},
): ReadonlySet<Gathered> {
  const byKey = new Map<string, Gathered[]>()
  const add = (key: string, owner: Gathered): void => {
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [owner])
    else known.push(owner)
  }
  const isLacking = ({source}: ListedImage): boolean => !byKey.has(referenceKey(source))
  const owners = images.filter(({image}) => !isReferrer(image))
  for (const owner of owners) for (const key of keysOf(owner.image)) add(key, owner)
  for (const one of listed.filter(isLacking))
    for (const owner of inPlaceOf(one, byKey)) add(referenceKey(one.source), owner)
  if (referrers && listed.some(isLacking)) {
    const about = referrersAbout(images.filter(({image}) => isReferrer(image)))
    for (const owner of owners) {
      for (const one of familyOf([owner], about))
        if (one !== owner) for (const key of keysOfReferrer(one, owner)) add(key, owner)
    }
  }
  const lacking = listed.filter(isLacking)
  if (lacking.length > 0) throw notListed(images, lacking)
  return new Set(listed.flatMap(({source}) => byKey.get(referenceKey(source)) ?? []))
}

/** The images under the tag of a lock file's index that hold the platforms which were taken of it, and no more. */
function inPlaceOf(
  {source, parts = []}: ListedImage,
  byKey: ReadonlyMap<string, readonly Gathered[]>,
): readonly Gathered[] {
  const {digest: _locked, ...tagged} = source
  if (source.digest === undefined || source.tag === undefined) return []
  return (byKey.get(referenceKey(tagged)) ?? []).filter(
    (owner) => 'node' in owner && standsFor(owner.node.manifest, parts),
  )
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

/** A nameless referrer is named by its digest in the repository of its image. */
function keysOfReferrer(referrer: Gathered, {image: {name}}: Gathered): readonly string[] {
  if (referrer.image.name !== undefined) return keysOf(referrer.image)
  const digest = rootDigest(referrer)
  if (name === undefined || digest === undefined) return []
  return [formatReference({registry: name.registry, repository: name.repository, digest})]
}

/** A list that was made for another host has the same paths. */
function nearby(source: Reference, names: readonly Reference[]): string {
  const other = elsewhere(source, names)
  return other === undefined ? '' : ` (the bundle has ${formatReference(other)}: same path, other host)`
}

function notListed(images: readonly Gathered[], lacking: readonly ListedImage[]): MirrorError {
  const names = images.flatMap(({image: {name}}) => (name === undefined ? [] : [name]))
  const lines = lacking.map(
    ({source, line}) => `line ${line}: ${formatReference(source)}${nearby(source, names)}`,
  )
  return new MirrorError(
    'IMAGE_NOT_FOUND',
    [`the bundle lacks ${lacking.length} of the listed images`, ...lines].join('; '),
    {
      side: 'source',
      hint: 'Check that the list is of the same release as the source.',
    },
  )
}
