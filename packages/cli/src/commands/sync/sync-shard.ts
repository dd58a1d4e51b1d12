import {formatReference, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import {tagKey} from '../../engine/sync/sync-target.js'
import {divide, type Division} from '../../job/divide.js'
import {wantedBy} from '../../job/job-images.js'
import type {WantedImage} from '../../job/job.js'
import type {Shard} from '../../job/shard.js'
import {mapName, type NamingRules} from '../../names/naming.js'
import type {ReportShard} from '../../report/report.js'
import {namedIn} from '../../run/list-images.js'
import type {SyncJob} from './sync-settings.js'

/** The part of all images that this run brings over. */
export interface OwnShard {
  /** Returns true for an image, or for all images of a repository, of this run. */
  readonly holds: (source: Reference) => boolean
  readonly division: Division
  readonly figures: ReportShard
}

/** Divides the images of all jobs, so that shards are even over the whole run. */
export function ownShard(jobs: readonly SyncJob[], {index, count}: Shard): OwnShard {
  const isListed = jobs.some((job) => wantedBy(job, job.listed).listings.length > 0)
  const images = jobs.flatMap((job) =>
    namedIn(job).map(({source}) => ({source, bytes: job.sizes.get(formatReference(source))})),
  )
  const division = divide(images, {count, isListed})
  const {by, plan, shardOf} = division
  return {
    holds: (source) => shardOf(source) === index,
    division,
    figures: {index, count, by, plan},
  }
}

/**
 * Refuses two images of different shards for one name, because no shard could see if they are the same.
 * @throws {MirrorError} NAME_COLLISION naming both
 */
export function refuseSplitNames(
  images: readonly WantedImage[],
  {rules, division}: {readonly rules: NamingRules; readonly division: Division},
): void {
  const owners = new Map<string, {readonly name: string; readonly shard: number}>()
  for (const {source} of images) {
    const key = tagKey(mapName({name: source, digest: source.digest}, rules))
    const one = {name: formatReference(source), shard: division.shardOf(source)}
    const other = owners.get(key)
    if (other === undefined) owners.set(key, one)
    else if (other.shard !== one.shard)
      throw new MirrorError(
        'NAME_COLLISION',
        `${other.name} and ${one.name} would both become ${rules.registry}/${key}, and are in different shards`,
        {advice: {kind: 'separate-names'}},
      )
  }
}
