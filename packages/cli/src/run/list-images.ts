import type {RegistrySource} from '@airgap-mirror/oci-client'
import {
  formatReference,
  isMirrorError,
  MirrorError,
  type CallOptions,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {distinct, imagesIn, wantedBy, type Listing} from '../job/job-images.js'
import type {Job, WantedImage} from '../job/job.js'
import {globMatcher} from '../names/globs.js'

/** A job with the images of its lists. */
export interface ListedJob extends Job {
  readonly listed: readonly WantedImage[]
  /** Its lists say that there is nothing to do. */
  readonly nothingFailed?: boolean
}

export interface ListedImages {
  readonly images: readonly WantedImage[]
  /** The errors of repositories that could not be listed. */
  readonly troubles: readonly MirrorError[]
}

interface ListOptions extends CallOptions {
  readonly source: Pick<RegistrySource, 'listTags'>
  /** Returns true for what is wanted of the job now, and for repositories that may have some of it. Absent: all of it. */
  readonly holds?: (source: Reference) => boolean
  /** Told of each pattern that no image meets. */
  readonly warn?: (text: string) => void
}

/**
 * The images that a job wants now: those that are named, and those in its repositories that it chooses.
 * @throws {MirrorError} LIST_INVALID if there is none
 */
export async function listImages(job: ListedJob, options: ListOptions): Promise<ListedImages> {
  const {images, listings: all} = wantedBy(job, job.listed)
  const {holds} = options
  const listings =
    holds === undefined ? all : all.filter(({registry, repository}) => holds({registry, repository}))
  const troubles: MirrorError[] = []
  const found = await Promise.all(
    listings.map(async (listing) => {
      try {
        return await imagesListed(listing, options)
      } catch (error) {
        if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
        troubles.push(error)
        return []
      }
    }),
  )
  const isWanted = globMatcher(job)
  const named = distinct([...images, ...found.flat()].map(withTag))
  const chosen = named.filter((image) => isWanted(formatReference(image.source)))
  const wanted = holds === undefined ? chosen : chosen.filter(({source}) => holds(source))
  // A repository that was not listed may have images that meet a pattern.
  const isWhole = troubles.length === 0 && listings.length === all.length
  if (isWhole && named.length > 0) warnOfUnmet(job, {named, warn: options.warn})
  const mayBeEmpty = troubles.length > 0 || job.nothingFailed === true || listings.length < all.length
  if (chosen.length > 0 || mayBeEmpty) return {images: wanted, troubles}
  throw new MirrorError('LIST_INVALID', `the job ${JSON.stringify(job.name)} names no image`, {
    side: 'source',
    hint: 'Check that the list is not empty, and that no filter leaves nothing of it.',
  })
}

/** The images that a job names and chooses, without those that only a listing could tell. */
export function namedIn(job: ListedJob): readonly WantedImage[] {
  const isWanted = globMatcher(job)
  return distinct(wantedBy(job, job.listed).images.map(withTag)).filter(({source}) =>
    isWanted(formatReference(source)),
  )
}

function warnOfUnmet(
  {name, include, exclude}: ListedJob,
  {named, warn}: {readonly named: readonly WantedImage[]; readonly warn: ListOptions['warn']},
): void {
  const labels = named.map(({source}) => formatReference(source))
  for (const [what, globs] of Object.entries({include, exclude})) {
    for (const glob of globs) {
      if (labels.some(globMatcher({include: [glob], exclude: []}))) continue
      warn?.(`${what} ${glob} matches no image of the job ${JSON.stringify(name)}`)
    }
  }
}

async function imagesListed(
  listing: Listing,
  {source, signal}: ListOptions,
): Promise<readonly WantedImage[]> {
  const {registry, repository} = listing
  const tags = await source.listTags(registry, repository, {signal})
  if (tags.length > 0) return imagesIn(listing, tags)
  // A registry that has lost its tags is likelier than a job that wants none: all that is at the target would be pruned.
  throw new MirrorError('NOT_FOUND', `${registry}/${repository} has no tags`, {
    side: 'source',
    hint: 'Check the spelling of the name, or take a repository that is to be empty out of the job file.',
  })
}

/** Without a tag and a digest, `latest` is meant. */
function withTag({source, target}: WantedImage): WantedImage {
  return {
    source: source.tag === undefined && source.digest === undefined ? {...source, tag: 'latest'} : source,
    target,
  }
}
