import {formatReference} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportImage} from '../../report/report.js'
import {isOpen} from './families.js'
import type {Standing, Surveyed} from './survey.js'

/** The report entries of images that need no work, or that must not be touched. */
export function endedBefore(surveyed: readonly Surveyed[]): readonly ReportImage[] {
  return surveyed.flatMap(({reference, standings}) =>
    standings.flatMap((standing) => {
      const ended = endOf(standing)
      const names = {source: formatReference(reference), target: formatReference(standing.target)}
      return ended === undefined ? [] : [{...names, bytesUploaded: 0, attempts: 0, ...ended}]
    }),
  )
}

/** In the order in which the images and targets were named, with their referrers last. */
export function inOrder(
  surveyed: readonly Surveyed[],
  images: readonly ReportImage[],
): readonly ReportImage[] {
  const places = new Map<string, number>()
  for (const {reference, standings} of surveyed) {
    const source = formatReference(reference)
    for (const {target} of standings) places.set(`${source} ${formatReference(target)}`, places.size)
  }
  const placeOf = ({source, target}: ReportImage): number => places.get(`${source} ${target}`) ?? places.size
  return images.toSorted((left, right) => placeOf(left) - placeOf(right))
}

type Ending = Omit<ReportImage, 'source' | 'target' | 'bytesUploaded' | 'attempts'>

function endOf(standing: Standing): Ending | undefined {
  const {verdict, found} = standing
  if (isOpen(standing)) return undefined
  switch (verdict.status) {
    case 'present': {
      const {sourceDigest, targetDigest} = verdict
      const digestChanged = sourceDigest !== targetDigest
      const reason = digestChanged ? 'recomputed by an earlier run from the content of the source' : undefined
      return {status: 'present', sourceDigest, targetDigest, digestChanged, reason}
    }
    case 'drifted':
    case 'failed':
      return {
        status: verdict.status,
        sourceDigest: 'sourceDigest' in verdict ? verdict.sourceDigest : undefined,
        targetDigest: found?.digest,
        digestChanged: false,
        error: reportErrorOf(verdict.error),
      }
    case 'changed':
      break
  }
  return undefined
}
