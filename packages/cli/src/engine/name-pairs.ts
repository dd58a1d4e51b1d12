import {formatPlatform, isMirrorError, MirrorError, type Platform} from '@airgap-mirror/oci-client/model'
import {refuseCollisions} from './collisions.js'
import {rootDigest, type Gathered} from './gather.js'
import {sourceLabel, type Name, type NameOf} from './name-of.js'
import {settleNames, type OneNameOptions} from './one-name.js'
import {identityOf, type Pair} from './pair.js'
import {referrersOfLeftOut} from './not-for-platforms.js'
import {refuseTooMuch} from './plan-size.js'
import {referrerPairs, type NamedPair} from './referrer-pairs.js'
import {choosePlatforms, hasPlatform, isForPlatform, nothingLeft} from './select.js'

export interface NamePairsOptions extends OneNameOptions {
  readonly nameOf: NameOf
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  /** True if it is no error that no image is for the platforms, because these images are only a part. */
  readonly mayBeNone?: boolean
  /** Told of the images that have none of the platforms. */
  readonly onLeftOut?: (images: readonly Gathered[]) => void
}

/**
 * Gives every image its name at the target; referrers go to every repository of their subject.
 * @throws {MirrorError} NAME_INVALID; NAME_COLLISION naming both images; NAME_MISSING if no image at all has a name;
 * IMAGE_NOT_FOUND if none is for the platforms; LIMIT_EXCEEDED
 */
export async function namePairs(
  images: readonly Gathered[],
  options: NamePairsOptions,
): Promise<readonly Pair[]> {
  const readable: Gathered[] = []
  const leftOut: Gathered[] = []
  for (const gathered of images) {
    if (gathered.image.subject !== undefined) continue
    const chosen = await withPlatform(gathered, options)
    if (chosen === undefined) leftOut.push(gathered)
    else readable.push(chosen)
  }
  const orphans = referrersOfLeftOut(leftOut, readable)
  leftOut.push(...orphans)
  const named = readable
    .filter((gathered) => !orphans.has(gathered))
    .map((gathered) => nameOne(gathered, options))
  if (named.length === 0 && images.length > 0 && options.platforms.length > 0 && options.mayBeNone !== true) {
    throw nothingLeft(`is for ${options.platforms.map(formatPlatform).join(' or ')}`, 'platform')
  }
  if (leftOut.length > 0) options.onLeftOut?.(leftOut)
  const settled = await settleNames(named, options)
  const [first] = settled
  if (first !== undefined && 'error' in first.pair.image && settled.every(isNameless))
    throw nameless(settled, first.pair.image.error)
  const all = [...settled.map(({pair}) => pair), ...referrerPairs(images, settled)]
  refuseCollisions(
    all.flatMap((pair) => {
      const identity = identityOf(pair)
      return pair.target === undefined || identity === undefined
        ? []
        : [{source: pair.label.source, target: pair.target, identity}]
    }),
  )
  const distinct = withoutRepeats(all)
  refuseTooMuch(distinct)
  return distinct
}

function nameOne(gathered: Gathered, options: NamePairsOptions): NamedPair {
  const {image} = gathered
  const digest = rootDigest(gathered)
  let name: Name
  try {
    name = options.nameOf(image, digest)
  } catch (error) {
    if (!isMirrorError(error) || error.code !== 'NAME_MISSING') throw error
    const label = {source: sourceLabel(image, digest), target: ''}
    const reason = 'error' in gathered ? gathered.error : error
    return {pair: {label, image: {error: reason}}, base: label}
  }
  return {
    pair: pairOf(gathered, {name, platforms: options.platforms}),
    base: name.base,
    isMapped: name.isMapped === true,
  }
}

function pairOf(
  gathered: Gathered,
  {name: {target, label}, platforms}: {readonly name: Name; readonly platforms: readonly Platform[]},
): Pair {
  const {digestChanged} = gathered.image
  const digest = rootDigest(gathered)
  if ('error' in gathered) return {target, label, image: {error: gathered.error}}
  if ('pending' in gathered) return {...pendingPair({target, label, image: gathered}), digestChanged}
  if (target.digest !== undefined && target.digest !== digest) {
    const error = new MirrorError(
      'DIGEST_MISMATCH',
      `${label.source}: the source holds ${digest} under this name`,
      {side: 'source', advice: {kind: 'tag-image'}},
    )
    return {target, label, image: {error}}
  }
  const node = platforms.length === 0 ? gathered.node : choosePlatforms(gathered.node, platforms)
  return {target, label, image: {node}, digestChanged}
}

function pendingPair({
  target,
  label,
  image: {pending},
}: Required<Pick<Pair, 'target' | 'label'>> & {
  readonly image: Extract<Gathered, {pending: unknown}>
}): Pair {
  const {digest, ...tagged} = target
  if (digest === undefined || target.tag !== undefined) return {target: tagged, label, image: {pending}}
  const error = new MirrorError(
    'NAME_MISSING',
    `${label.source}: the bundle no longer holds the manifest of this digest`,
    {side: 'source', advice: {kind: 'tag-image'}},
  )
  return {target, label, image: {error}}
}

/** Undefined if an image has none of the wanted platforms; an error if that cannot be told. */
async function withPlatform(gathered: Gathered, options: NamePairsOptions): Promise<Gathered | undefined> {
  try {
    return (await isWanted(gathered, options)) ? gathered : undefined
  } catch (error) {
    if (isMirrorError(error) && error.code !== 'CANCELLED') return {image: gathered.image, error}
    throw error
  }
}

async function isWanted(gathered: Gathered, options: NamePairsOptions): Promise<boolean> {
  if (options.platforms.length === 0 || 'error' in gathered) return true
  if ('pending' in gathered) return isForPlatform(gathered.pending.config, options.platforms, options)
  const {manifest} = gathered.node
  return manifest.kind === 'index'
    ? hasPlatform(gathered.node, options.platforms)
    : isForPlatform(manifest.config, options.platforms, options)
}

const LISTED = 20

/** An error for images without names, which lists them all. */
function nameless(named: readonly NamedPair[], first: MirrorError): MirrorError {
  if (named.length === 1) return first
  const labels = named.slice(0, LISTED).map(({pair}) => pair.label.source)
  const more = named.length > LISTED ? ` and ${named.length - LISTED} more` : ''
  return new MirrorError(
    'NAME_MISSING',
    `none of the ${named.length} images has a name in the source: ${labels.join(', ')}${more}`,
    {side: first.side, advice: first.advice},
  )
}

function isNameless({pair: {image}}: NamedPair): boolean {
  return 'error' in image && image.error.code === 'NAME_MISSING'
}

/** A bundle that says the same twice is pushed and reported once. */
function withoutRepeats(pairs: readonly Pair[]): readonly Pair[] {
  const seen = new Set<string>()
  return pairs.filter((pair) => {
    const key = `${pair.label.source} ${pair.label.target} ${identityOf(pair) ?? ''}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
