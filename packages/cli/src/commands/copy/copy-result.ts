import type {Digest, SourceImage} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from '../../engine/events.js'
import type {ReportImage} from '../../report/report.js'
import type {Place} from './place.js'

/** Events without digests of manifests that the target does not keep. */
export function eventsFor(to: Place, onEvent: OnEvent): OnEvent {
  return (event) => {
    if (event.type !== 'image' || keepsManifests(to)) return onEvent(event)
    const {digest: _isNotThere, ...rest} = event
    onEvent(rest)
  }
}

/** The report entries of the image and its referrers. The image itself comes first. */
export function copiedImages(
  images: readonly ReportImage[],
  {to, original}: {readonly to: Place; readonly original: SourceImage},
): readonly ReportImage[] {
  // A manifest with another digest than its bundle names is not the one its registry had.
  const isKnown = 'manifest' in original.root && original.digestChanged === undefined
  const digest = isKnown ? original.root.manifest.digest : undefined
  return images.map((image, index) => (index === 0 ? withDigests(image, {to, digest}) : image))
}

/** Corrects the digests: the engine knows the image as it was narrowed, but not the digest that a file gives it. */
function withDigests(
  image: ReportImage,
  {to, digest}: {readonly to: Place; readonly digest: Digest | undefined},
): ReportImage {
  const known = digest === undefined ? image : {...image, sourceDigest: digest}
  if (keepsManifests(to) || (image.status !== 'pushed' && image.status !== 'planned')) return known
  const {targetDigest: _isNotThere, ...rest} = known
  return {...rest, digestChanged: true, reason: [image.reason, NO_MANIFEST].filter(Boolean).join('; ')}
}

function keepsManifests({transport}: Place): boolean {
  return transport !== 'docker-archive'
}

const NO_MANIFEST = 'a docker-archive holds no manifests: the program that loads it makes another'
