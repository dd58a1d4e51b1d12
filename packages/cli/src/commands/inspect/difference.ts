import {attachedTo, formatReference, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import {isTaken, type LockedPart} from '../../names/locked-parts.js'
import type {OlderImage} from '../../run/older-content.js'
import type {ChangeStatus, Difference, ImageChange} from './change.js'
import type {InspectedImage, InspectedReferrer, Inspection} from './inspection.js'

/** An older content: all of a bundle, or the digests of images. */
export type Older = {readonly inspection: Inspection} | {readonly images: readonly OlderImage[]}

interface OldImage {
  readonly name: string
  /** Its digest, and the config's digest if it is a single image. */
  readonly identities: ReadonlySet<Digest>
  readonly digest: Digest | undefined
  /** The platforms of its index, in a lock file. */
  readonly parts?: readonly LockedPart[]
}

/** Compares image by image, under the names that both have. */
export function differenceOf(
  old: string,
  {older, newer}: {readonly older: Older; readonly newer: Pick<Inspection, 'images' | 'orphans'>},
): Difference {
  const before = oldImages(older, newer)
  const byName = new Map<string, OldImage[]>()
  for (const image of before) byName.set(image.name, [...(byName.get(image.name) ?? []), image])
  const known = knownContent(older, {newer, byName})
  const counter = new NewContent(known)
  const kept = newer.images.map((image) => {
    const name = comparedName(image.name)
    const candidates = byName.get(name) ?? []
    const match = candidates.find((old) => isSame(old, image)) ?? candidates[0]
    return changeOf(image, {match, bytesToCarry: counter.bytesOf(image)})
  })
  counter.count(newer.orphans)
  const names = new Set(newer.images.map(({name}) => comparedName(name)))
  const removed = before
    .filter(({name}) => !names.has(name))
    .map(({name, digest}): ImageChange => ({name, status: 'removed', bytesToCarry: 0, oldDigest: digest}))
  const images = [...kept, ...removed]
  const number = (status: ChangeStatus): number => images.filter((image) => image.status === status).length
  return {
    old,
    exact: 'inspection' in older,
    totals: {
      added: number('added'),
      removed: number('removed'),
      changed: number('changed'),
      same: number('same'),
    },
    bytes: {toCarry: counter.toCarry, present: counter.present},
    images,
  }
}

function changeOf(
  image: InspectedImage,
  {match, bytesToCarry}: {readonly match: OldImage | undefined; readonly bytesToCarry: number},
): ImageChange {
  const newDigest = image.digest ?? image.id
  const status = match === undefined ? 'added' : isSame(match, image) ? 'same' : 'changed'
  return {
    name: image.name,
    status,
    oldDigest: match?.digest,
    newDigest,
    bytesToCarry,
  }
}

/** A report names referrers as images, where the inspection of a bundle has them below theirs. */
function oldImages(
  older: Older,
  {images, orphans}: Pick<Inspection, 'images' | 'orphans'>,
): readonly OldImage[] {
  if ('inspection' in older) {
    return older.inspection.images.map((image) => ({
      name: comparedName(image.name),
      identities: identitiesOf(image),
      digest: image.digest ?? image.id,
    }))
  }
  const referrers = new Set(
    [...images.flatMap((image) => image.referrers), ...orphans].map(({digest}) => digest),
  )
  const isReferrer = ({tag, digest}: Reference): boolean =>
    tag === undefined ? digest !== undefined && referrers.has(digest) : attachedTo(tag) !== undefined
  const listed = older.images.filter(({reference}) => !isReferrer(reference))
  return listed.map(({reference, parts}) => ({
    name: comparedName(formatReference(reference)),
    identities: new Set(reference.digest === undefined ? [] : [reference.digest]),
    digest: reference.digest,
    parts,
  }))
}

/** The same image, or the same platforms of an index that was cut. */
function isSame({identities, parts = []}: OldImage, image: InspectedImage): boolean {
  const {kind, digest, platforms} = image
  const held = kind === 'index' ? platforms.map((platform) => platform.digest) : [digest]
  return (
    isAny(identities, identitiesOf(image)) ||
    isTaken(
      held.filter((one) => one !== undefined),
      parts,
    )
  )
}

/** A docker-archive has lost the digest of the manifest, and the config still tells its image. */
function identitiesOf({digest, id, kind, contents}: InspectedImage): ReadonlySet<Digest> {
  const config = kind === 'index' ? undefined : contents.find(({role}) => role === 'config')
  return new Set([digest, id, config?.digest].filter((one) => one !== undefined))
}

function isAny(left: ReadonlySet<Digest>, right: ReadonlySet<Digest>): boolean {
  return [...right].some((digest) => left.has(digest))
}

/** Without the digest behind a tag: a lock file has both. */
function comparedName(name: string): string {
  return name.replace(/(?<=:[^:/@]+)@.*$/, '')
}

/** Returns the digests that the older content is known to have. */
function knownContent(
  older: Older,
  {
    newer,
    byName,
  }: {readonly newer: Pick<Inspection, 'images'>; readonly byName: ReadonlyMap<string, readonly OldImage[]>},
): ReadonlySet<Digest> {
  if ('inspection' in older) {
    const {images, orphans} = older.inspection
    const referrers = [...images.flatMap((image) => image.referrers), ...orphans]
    return new Set([
      ...images.flatMap(({contents}) =>
        contents.filter(({state}) => state !== 'missing').map(({digest}) => digest),
      ),
      ...referrers.map(({digest}) => digest),
    ])
  }
  const listed = new Set(older.images.map(({reference}) => reference.digest))
  const same = newer.images.filter(
    (image) =>
      (image.digest !== undefined && listed.has(image.digest)) ||
      byName.get(comparedName(image.name))?.some((old) => isSame(old, image)) === true,
  )
  return new Set([
    ...same.flatMap(({contents}) => contents.map(({digest}) => digest)),
    ...[...listed].filter((digest) => digest !== undefined),
  ])
}

/** Counts each content once, as new or as present. */
class NewContent {
  toCarry = 0
  present = 0
  readonly #known: ReadonlySet<Digest>
  readonly #counted = new Set<Digest>()

  constructor(known: ReadonlySet<Digest>) {
    this.#known = known
  }

  /** Returns the bytes of new content that was not counted before. */
  bytesOf({contents, referrers}: InspectedImage): number {
    return this.count(contents.filter(({state}) => state === 'here')) + this.count(referrers)
  }

  count(contents: readonly Pick<InspectedReferrer, 'digest' | 'bytes'>[]): number {
    let added = 0
    for (const {digest, bytes} of contents) {
      if (this.#counted.has(digest)) continue
      this.#counted.add(digest)
      if (this.#known.has(digest)) this.present += bytes
      else added += bytes
    }
    this.toCarry += added
    return added
  }
}
