import {formatReference, type Reference} from '@airgap-mirror/oci-client/model'
import {chooseTags, narrows, type TagFilter} from './choose-tags.js'
import type {Job, JobRepository, WantedImage} from './job.js'
import {tagMatcher} from './tag-patterns.js'

/** A repository whose tags have to be listed before it is known which of them are wanted. */
export interface Listing {
  readonly registry: string
  readonly repository: string
  /** A tag is chosen if any of the filters chooses it. */
  readonly filters: readonly TagFilter[]
  readonly target: string | undefined
}

/**
 * Returns the images that a job names and the repositories to list. A named tag is not looked up in a listing: if it is
 * missing, its image fails with that error.
 * @param listed the images in the files that `job.images` names
 */
export function wantedBy(
  job: Job,
  listed: readonly WantedImage[],
): {readonly images: readonly WantedImage[]; readonly listings: readonly Listing[]} {
  const named = job.repositories.flatMap(namedImages)
  return {
    images: [...listed, ...job.references, ...named].map(({source, target}) => wanted(source, target)),
    listings: job.repositories.flatMap(listingsOf),
  }
}

/** The images of a listing, once the registry has said which tags there are; in the registry's order. */
export function imagesIn(listing: Listing, tags: readonly string[]): readonly WantedImage[] {
  const {registry, repository, filters, target} = listing
  const chosen = new Set(filters.flatMap((filter) => chooseTags(tags, filter)))
  return tags
    .filter((tag) => chosen.has(tag))
    .map((tag) => wanted({registry, repository, tag}, target === undefined ? undefined : `${target}:${tag}`))
}

/** Returns a test for references whose content cannot change: by digest, or by a tag the job calls immutable. */
export function immutableIn({immutable}: Pick<Job, 'immutable'>): (reference: Reference) => boolean {
  const isImmutableTag = immutable === undefined ? () => false : tagMatcher(immutable)
  return ({tag, digest}) => digest !== undefined || (tag !== undefined && isImmutableTag(tag))
}

function namedImages({
  registry,
  repository,
  tags = [],
  digests,
  target,
}: JobRepository): readonly WantedImage[] {
  const names = new Set(tags.flatMap(({exact = []}) => exact))
  return [
    ...[...names].map((tag) =>
      wanted({registry, repository, tag}, target === undefined ? undefined : `${target}:${tag}`),
    ),
    ...digests.map((digest) => wanted({registry, repository, digest}, target)),
  ]
}

function listingsOf({registry, repository, tags, digests, target}: JobRepository): readonly Listing[] {
  const filters = (tags ?? (digests.length === 0 ? [{}] : [])).filter(narrows).map(withoutNames)
  return filters.length === 0 ? [] : [{registry, repository, filters, target}]
}

function withoutNames({exact: _named, ...rest}: TagFilter): TagFilter {
  return rest
}

function wanted(source: Reference, target: string | undefined): WantedImage {
  return {
    source,
    target,
  }
}

/** Each image once, however often it is wanted. */
export function distinct(images: readonly WantedImage[]): readonly WantedImage[] {
  return [
    ...new Map(
      images.map((image) => [`${formatReference(image.source)} ${image.target ?? ''}`, image]),
    ).values(),
  ]
}
