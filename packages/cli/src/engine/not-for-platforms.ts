import {formatPlatform, MirrorError, type Platform} from '@airgap-mirror/oci-client/model'
import {rootDigest, type Gathered} from './gather.js'
import {sourceLabel} from './name-of.js'
import {isReferrer, withReferrers} from './referrer-families.js'

const PLATFORMS_SHOWN = 20
const IMAGES_SHOWN = 5

/** Returns the error of an image that a list names and that has none of the wanted platforms. */
export function notForPlatforms(gathered: Gathered, wanted: readonly Platform[]): MirrorError {
  const children =
    'node' in gathered && gathered.node.manifest.kind === 'index' ? gathered.node.manifest.children : []
  const own = children.flatMap(({platform}) => (platform === undefined ? [] : [formatPlatform(platform)]))
  const has = own.length === 0 ? '' : `: it has ${[...new Set(own)].slice(0, PLATFORMS_SHOWN).join(', ')}`
  return new MirrorError(
    'NOT_FOUND',
    `there is nothing for ${wanted.map(formatPlatform).join(' or ')}${has}`,
    {
      side: 'source',
      advice: {kind: 'choose-other-platform'},
    },
  )
}

/**
 * Returns the signatures, under tags of cosign, of images that are left out: these do not name their platform. A signature that
 * another image has too is not among them.
 */
export function referrersOfLeftOut(
  leftOut: readonly Gathered[],
  others: readonly Gathered[],
): ReadonlySet<Gathered> {
  if (leftOut.length === 0) return new Set()
  const referrers = others.filter(({image}) => isReferrer(image))
  const theirs = withReferrers(new Set(leftOut), referrers)
  const kept = withReferrers(new Set(others.filter(({image}) => !isReferrer(image))), referrers)
  return new Set(referrers.filter((referrer) => theirs.has(referrer) && !kept.has(referrer)))
}

/** Returns the warning of a choice of platforms that leaves out images of a bundle. */
export function leftOutWarning(images: readonly Gathered[], wanted: readonly Platform[]): string {
  const names = images.slice(0, IMAGES_SHOWN).map((one) => sourceLabel(one.image, rootDigest(one)))
  const more = images.length > IMAGES_SHOWN ? ` and ${images.length - IMAGES_SHOWN} more` : ''
  return `left out, since there is nothing for ${wanted.map(formatPlatform).join(' or ')}: ${names.join(', ')}${more}`
}
