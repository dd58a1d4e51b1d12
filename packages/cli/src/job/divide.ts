import {createHash} from 'node:crypto'
import {formatReference, type Reference} from '@airgap-mirror/oci-client/model'

export interface SizedImage {
  readonly source: Reference
  /** The bytes of its blobs, each once; absent if that is not known. */
  readonly bytes?: number
}

/** The measure by which shards are even. `repository`: by a hash of its path, since its tags are not known yet. */
type Measure = 'bytes' | 'images' | 'repository'

/** A division of all images of a run into shards. Every image is in exactly one. */
export interface Division {
  readonly by: Measure
  /** The same in all shards that divide the same images in the same way. */
  readonly plan: string
  readonly shardOf: (source: Pick<Reference, 'registry' | 'repository' | 'tag' | 'digest'>) => number
}

export interface DivideOptions {
  readonly count: number
  /** True if repositories are listed for their tags, which may differ from one shard to the next. */
  readonly isListed: boolean
}

/**
 * Divides images into shards by what the job and its lists say, and by nothing that a registry answers: shards that start
 * at different times agree, even if tags move in between.
 * @param images all that are named, in any order
 */
export function divide(images: readonly SizedImage[], {count, isListed}: DivideOptions): Division {
  if (isListed) {
    return {
      by: 'repository',
      plan: hashOf(`repository/${count}`),
      shardOf: ({repository}) => byHash(repository, count),
    }
  }
  const distinct = distinctImages(images)
  const isSized = images.length > 0 && [...distinct.values()].every(({bytes}) => bytes !== undefined)
  const named = [...distinct].map(([name, {source, bytes}]): Weighed => ({
    name,
    repository: source.repository,
    version: source.tag ?? source.digest ?? '',
    // An image without bytes still costs its requests.
    weight: isSized ? Math.max(1, bytes ?? 1) : 1,
  }))
  const shards = assign(unitsOf(named, count), count)
  const by = isSized ? 'bytes' : 'images'
  const plan = hashOf(
    [`${by}/${count}`, ...[...shards].map(([name, shard]) => `${name} ${shard}`).sort()].join('\n'),
  )
  // A name that was not among the images is a mistake of the caller, and must not end in no shard.
  return {
    by,
    plan,
    shardOf: (source) => shards.get(formatReference(source)) ?? byHash(source.repository, count),
  }
}

/** The sizes of images. If several lists name an image with different sizes, the largest counts. */
function distinctImages(images: readonly SizedImage[]): ReadonlyMap<string, SizedImage> {
  const distinct = new Map<string, SizedImage>()
  for (const image of images) {
    const name = formatReference(image.source)
    const known = distinct.get(name)
    if ((known?.bytes ?? -1) < (image.bytes ?? 0)) distinct.set(name, image)
  }
  return distinct
}

interface Weighed {
  readonly name: string
  readonly repository: string
  /** Its tag, or the digest without one. Images of one repository and version are likely to get one name. */
  readonly version: string
  readonly weight: number
}

/** Images that go into one shard together. */
interface Unit {
  readonly names: readonly string[]
  readonly weight: number
}

/** A repository that is larger than a fair share is cut into pieces of this part of a share. */
const PIECES_A_SHARE = 4

/**
 * Returns a unit for each repository, whatever its host: its images share layers, and may go to one name. A repository that is
 * larger than a shard's share is cut, but never between two images of one version.
 */
function unitsOf(images: readonly Weighed[], count: number): readonly Unit[] {
  const repositories = new Map<string, Weighed[]>()
  const inOrder = images.toSorted(
    (left, right) => compare(left.version, right.version) || compare(left.name, right.name),
  )
  for (const image of inOrder) {
    const own = repositories.get(image.repository)
    if (own === undefined) repositories.set(image.repository, [image])
    else own.push(image)
  }
  const share = sum(images) / count
  return [...repositories.values()].flatMap((own) =>
    sum(own) <= share ? [unit(own)] : pieces(own, share / PIECES_A_SHARE).map(unit),
  )
}

function pieces(images: readonly Weighed[], most: number): readonly (readonly Weighed[])[] {
  const cut: Weighed[][] = []
  let weight = 0
  for (const image of images) {
    const last = cut.at(-1)
    const isSameVersion = last?.at(-1)?.version === image.version
    if (last !== undefined && (isSameVersion || weight + image.weight <= most)) last.push(image)
    else {
      cut.push([image])
      weight = 0
    }
    weight += image.weight
  }
  return cut
}

function unit(images: readonly Weighed[]): Unit {
  return {names: images.map(({name}) => name), weight: sum(images)}
}

/** The largest unit first, each to the shard with the least so far: at most a third more than the best division. */
function assign(units: readonly Unit[], count: number): ReadonlyMap<string, number> {
  const loads = Array.from({length: count}, () => 0)
  const shards = new Map<string, number>()
  const inOrder = units.toSorted(
    (left, right) => right.weight - left.weight || compare(left.names[0] ?? '', right.names[0] ?? ''),
  )
  for (const {names, weight} of inOrder) {
    const lightest = loads.indexOf(Math.min(...loads))
    loads[lightest] = (loads[lightest] ?? 0) + weight
    for (const name of names) shards.set(name, lightest)
  }
  return shards
}

function sum(images: readonly Weighed[]): number {
  return images.reduce((total, {weight}) => total + weight, 0)
}

function byHash(repository: string, count: number): number {
  return createHash('sha256').update(repository).digest().readUIntBE(0, 6) % count
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** By code units, which is the same everywhere. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
