import {limits, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import {nodesOf, rootDigest, type Gathered} from './gather.js'
import type {Label, Pair} from './pair.js'
import {tooMuch} from './plan-size.js'

/** A pair, and the beginning of the labels of its referrers. */
export interface NamedPair {
  readonly pair: Pair
  readonly base: Label
  /** True if the user mapped this image by its digest or ID. */
  readonly isMapped?: boolean
}

/** A repository in which a digest will be, whose referrers go there, too. */
interface Home {
  readonly digest: Digest
  readonly target: Pick<Reference, 'registry' | 'repository'>
  readonly base: Label
}

interface Referrer {
  readonly place: number
  readonly gathered: Gathered
}

/**
 * The referrers among images, by digest, in every repository of their subject; referrers of referrers likewise.
 * @throws {MirrorError} LIMIT_EXCEEDED
 */
export function referrerPairs(images: readonly Gathered[], named: readonly NamedPair[]): readonly Pair[] {
  const about = new Map<Digest, Referrer[]>()
  for (const [place, gathered] of images.entries()) {
    const {subject} = gathered.image
    if (subject === undefined) continue
    const others = about.get(subject)
    if (others === undefined) about.set(subject, [{place, gathered}])
    else others.push({place, gathered})
  }
  if (about.size === 0) return []
  const homes: Home[] = []
  for (const {pair, base} of named) {
    const {target, image} = pair
    if (target === undefined || !('node' in image)) continue
    for (const {manifest} of nodesOf(image.node)) {
      const {digest} = manifest.descriptor
      if (about.has(digest)) homes.push({digest, target, base})
    }
  }
  const found = new Map<string, {readonly place: number; readonly pair: Pair}>()
  // Homes that are added meanwhile are walked, too.
  for (const home of homes) {
    for (const {place, gathered} of about.get(home.digest) ?? []) {
      const digest = rootDigest(gathered)
      const pair = referrerPair(gathered, home)
      const content = `${digest ?? pair.label.source} ${pair.target?.tag ?? ''}`
      const key = `${home.target.registry}/${home.target.repository} ${content}`
      if (found.has(key)) continue
      found.set(key, {place, pair})
      if (found.size > limits.images) throw tooMuch(`${found.size} referrers in their repositories`)
      if (digest !== undefined && about.has(digest)) homes.push({...home, digest})
    }
  }
  return [...found.values()].toSorted((left, right) => left.place - right.place).map(({pair}) => pair)
}

function referrerPair(gathered: Gathered, {target: {registry, repository}, base}: Home): Pair {
  const digest = rootDigest(gathered)
  const {attachedAs} = gathered.image
  const behind = attachedAs === undefined ? `@${digest}` : `:${attachedAs}`
  const label = {source: base.source + behind, target: base.target + behind}
  const target = {registry, repository, ...(attachedAs === undefined ? {digest} : {tag: attachedAs})}
  if ('node' in gathered) return {target, label, image: {node: gathered.node}}
  if ('pending' in gathered) return {target, label, image: {pending: gathered.pending}}
  return {target, label, image: {error: gathered.error}}
}
