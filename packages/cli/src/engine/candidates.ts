import {
  formatPlatform,
  formatReference,
  isMirrorError,
  limits,
  MirrorError,
  type CallOptions,
  type Digest,
  type ImageSource,
  type PendingImage,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {nodesOf, rootDigest, type Gathered, type ImageNode} from './gather.js'
import {refuseTooMuch, tooMuch} from './plan-size.js'
import {mapName, type NamingRules} from '../names/naming.js'
import {choosePlatforms, hasPlatform, isForPlatform, nothingLeft} from './select.js'

/** An image with the name it will have. */
export interface Candidate {
  /** The source reference, or what the bundle calls an unnamed image. */
  readonly source: string
  readonly target?: Reference
  readonly content:
    {readonly node: ImageNode} | {readonly pending: PendingImage} | {readonly error: MirrorError}
  readonly digestChanged?: string
}

export interface NamingOptions extends CallOptions {
  readonly source: ImageSource
  readonly rules: NamingRules
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  /** Whether it is fine that no image is for the platforms: these are a part of what was asked for. */
  readonly mayBeNone?: boolean
}

/**
 * Gives every image its target; referrers go to every repository of what they speak of.
 * @throws {MirrorError} NAME_INVALID; NAME_COLLISION naming both images; NAME_MISSING where no image at all has a name;
 * IMAGE_NOT_FOUND where none is for the platforms; LIMIT_EXCEEDED
 */
export async function nameCandidates(
  images: readonly Gathered[],
  options: NamingOptions,
): Promise<readonly Candidate[]> {
  const named: Candidate[] = []
  for (const gathered of images) {
    if (gathered.image.subject !== undefined) continue
    const readable = await withPlatform(gathered, options)
    if (readable !== undefined) named.push(nameOne(readable, options))
  }
  if (named.length === 0 && images.length > 0 && options.platforms.length > 0 && options.mayBeNone !== true) {
    throw nothingLeft(`is for ${options.platforms.map(formatPlatform).join(' or ')}`, 'platform')
  }
  const [first] = named
  if (first !== undefined && 'error' in first.content && named.every(isNameless)) throw first.content.error
  const all = [...named, ...referrerCandidates(images, named, options.rules.registry)]
  refuseCollisions(all)
  const distinct = withoutRepeats(all)
  refuseTooMuch(distinct)
  return distinct
}

function nameOne(gathered: Gathered, options: NamingOptions): Candidate {
  const {image} = gathered
  const digest = rootDigest(gathered)
  const source =
    image.name === undefined ? (image.hint ?? digest ?? 'unnamed image') : formatReference(image.name)
  const changed = image.digestChanged === undefined ? {} : {digestChanged: image.digestChanged}
  let target: Reference
  try {
    target = mapName({...image, ...(digest === undefined ? {} : {digest})}, options.rules)
  } catch (error) {
    if (isMirrorError(error) && error.code === 'NAME_MISSING') return {source, content: {error}}
    throw error
  }
  if ('error' in gathered) return {source, target, content: {error: gathered.error}}
  if ('pending' in gathered) return pendingCandidate({source, target, pending: gathered.pending, ...changed})
  if (target.digest !== undefined && target.digest !== digest) {
    const error = new MirrorError(
      'DIGEST_MISMATCH',
      `${source}: the bundle holds ${digest} under this name`,
      {
        side: 'source',
        advice: {kind: 'tag-image'},
      },
    )
    return {source, target, content: {error}}
  }
  const node =
    options.platforms.length === 0 ? gathered.node : choosePlatforms(gathered.node, options.platforms)
  return {source, target, content: {node}, ...changed}
}

function pendingCandidate(given: {
  source: string
  target: Reference
  pending: PendingImage
  digestChanged?: string
}): Candidate {
  const {source, target, pending, ...changed} = given
  const {digest, ...tagged} = target
  if (digest !== undefined && target.tag === undefined) {
    const error = new MirrorError(
      'NAME_MISSING',
      `${source}: the bundle no longer holds the manifest of this digest`,
      {
        side: 'source',
        advice: {kind: 'tag-image'},
      },
    )
    return {source, target, content: {error}}
  }
  return {source, target: tagged, content: {pending}, ...changed}
}

/** Undefined for what has none of the wanted platforms; an error where nobody can tell. */
async function withPlatform(gathered: Gathered, options: NamingOptions): Promise<Gathered | undefined> {
  try {
    return (await wanted(gathered, options)) ? gathered : undefined
  } catch (error) {
    if (isMirrorError(error) && error.code !== 'CANCELLED') return {image: gathered.image, error}
    throw error
  }
}

async function wanted(gathered: Gathered, options: NamingOptions): Promise<boolean> {
  if (options.platforms.length === 0 || 'error' in gathered) return true
  if ('pending' in gathered) return isForPlatform(gathered.pending.config, options.platforms, options)
  const {manifest} = gathered.node
  return manifest.kind === 'index'
    ? hasPlatform(gathered.node, options.platforms)
    : isForPlatform(manifest.config, options.platforms, options)
}

function isNameless({content}: Candidate): boolean {
  return 'error' in content && content.error.code === 'NAME_MISSING'
}

/** Referrers follow their subject, and referrers of referrers follow those. */
function referrerCandidates(
  images: readonly Gathered[],
  named: readonly Candidate[],
  registry: string,
): readonly Candidate[] {
  const about = new Map<Digest, {readonly place: number; readonly gathered: Gathered}[]>()
  for (const [place, gathered] of images.entries()) {
    const {subject} = gathered.image
    if (subject === undefined) continue
    const others = about.get(subject)
    if (others === undefined) about.set(subject, [{place, gathered}])
    else others.push({place, gathered})
  }
  if (about.size === 0) return []
  const homes: {readonly digest: Digest; readonly repository: string; readonly source: string}[] = []
  for (const {content, target, source} of named) {
    if (target === undefined || !('node' in content)) continue
    for (const {manifest} of nodesOf(content.node)) {
      const {digest} = manifest.descriptor
      if (about.has(digest)) homes.push({digest, repository: target.repository, source})
    }
  }
  const found = new Map<string, {readonly place: number; readonly candidate: Candidate}>()
  // What is pushed meanwhile is walked, too.
  for (const {digest: subject, repository, source} of homes) {
    for (const {place, gathered} of about.get(subject) ?? []) {
      const candidate = referrerCandidate(gathered, {registry, repository, source})
      const digest = rootDigest(gathered)
      const key = `${repository} ${digest ?? candidate.source}`
      if (found.has(key)) continue
      found.set(key, {place, candidate})
      if (found.size > limits.images) throw tooMuch(`${found.size} referrers in their repositories`)
      if (digest !== undefined && about.has(digest)) homes.push({digest, repository, source})
    }
  }
  return [...found.values()]
    .toSorted((left, right) => left.place - right.place)
    .map(({candidate}) => candidate)
}

function referrerCandidate(
  gathered: Gathered,
  at: {registry: string; repository: string; source: string},
): Candidate {
  const digest = rootDigest(gathered)
  const source = `${at.source.replace(/(?<=\/[^/]*)[:@].*$/, '')}@${digest}`
  const target = {registry: at.registry, repository: at.repository, ...(digest === undefined ? {} : {digest})}
  if ('node' in gathered) return {source, target, content: {node: gathered.node}}
  if ('pending' in gathered) return {source, target, content: {pending: gathered.pending}}
  return {source, target, content: {error: gathered.error}}
}

/** What an image is, whatever it is called. */
function identity({content}: Candidate): string {
  if ('node' in content) return content.node.manifest.descriptor.digest
  return 'pending' in content ? content.pending.config.digest : ''
}

function refuseCollisions(candidates: readonly Candidate[]): void {
  const owners = new Map<string, Candidate>()
  for (const candidate of candidates) {
    if (candidate.target === undefined || identity(candidate) === '') continue
    const {tag, ...rest} = candidate.target
    const key = tag === undefined ? formatReference(rest) : `${rest.repository}:${tag}`
    const owner = owners.get(key)
    if (owner === undefined) owners.set(key, candidate)
    else if (identity(owner) !== identity(candidate)) throw collision(owner, candidate)
  }
}

function collision(one: Candidate, other: Candidate): MirrorError {
  return new MirrorError(
    'NAME_COLLISION',
    `two different images would become ${one.target === undefined ? '' : formatReference(one.target)}: ` +
      `${one.source} (${identity(one)}) and ${other.source} (${identity(other)})`,
    {advice: {kind: 'separate-names'}},
  )
}

/** A bundle that says the same twice is pushed and reported once. */
function withoutRepeats(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>()
  return candidates.filter((candidate) => {
    const key = `${candidate.source} ${candidate.target === undefined ? '' : formatReference(candidate.target)} ${identity(candidate)}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
