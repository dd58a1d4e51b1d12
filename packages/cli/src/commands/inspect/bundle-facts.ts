import type {BundleDescription} from '@airgap-mirror/bundle'
import type {InspectedBundle, InspectedImage, InspectedReferrer, InspectionTotals} from './inspection.js'
import {countReferrers} from './referrers.js'

/** Returns the form of a bundle, as it was read. */
export function describeBundle(description: BundleDescription): InspectedBundle {
  const {kind, format, size, plainSize, packing, parts, leftOut, outerEntries, outerEntryCount} = description
  const producer = producerOf(parts)
  return {
    kind,
    format,
    producer,
    bytes: size,
    plainBytes: plainSize,
    compression: {
      codec: packing?.codec ?? 'none',
      blocks: packing?.blocks?.count,
      largestBlock: packing?.blocks?.largest,
    },
    volumes: description.volumes.map(({name, size: bytes}) => ({name, bytes})),
    parts: parts.map(partOf),
    entries: {
      count: outerEntryCount,
      first: outerEntries.map(({path, kind: type, size: bytes}) => ({path, kind: type, bytes})),
    },
    leftOut: {blobs: leftOut.length, bytes: leftOut.reduce((sum, blob) => sum + blob.size, 0)},
  }
}

function partOf({
  path,
  format,
  producer,
  images,
}: BundleDescription['parts'][number]): InspectedBundle['parts'][number] {
  return {path, format, producer, images}
}

/** The producer of all parts; undefined if they differ or one is not known. */
function producerOf(parts: BundleDescription['parts']): string | undefined {
  const all = new Set(parts.map(({producer}) => producer))
  const [only] = all
  return all.size === 1 ? only : undefined
}

/** Returns the sums over all images and referrers. */
export function totalsOf(
  images: readonly InspectedImage[],
  {orphans, decoded}: {readonly orphans: readonly InspectedReferrer[]; readonly decoded: number},
): InspectionTotals {
  const contents = new Map(
    images.flatMap(({contents: own}) => own).map((content) => [content.digest, content]),
  )
  const here = [...contents.values()].filter(({state}) => state === 'here')
  const referrers = new Map(
    [...images.flatMap((image) => image.referrers), ...orphans].map((referrer) => [
      `${referrer.digest} ${referrer.kind} ${referrer.type}`,
      referrer,
    ]),
  )
  const isManifest = ({role}: {readonly role: string}): boolean => role === 'index' || role === 'manifest'
  const platforms = images.flatMap((image) => image.platforms).filter(({present}) => present)
  const attached = new Map([...referrers.values()].map(({digest, bytes}) => [digest, bytes]))
  const referrerBytes = [...attached].filter(([digest]) => !contents.has(digest))
  return {
    images: images.length,
    damaged: images.filter(({status}) => status !== 'ok').length,
    signed: images.filter(isSigned).length,
    platforms: [...new Set(platforms.map(({platform}) => platform))].toSorted(),
    manifests: here.filter(isManifest).length,
    blobs: here.filter((content) => !isManifest(content)).length,
    contentBytes:
      here.reduce((sum, {bytes}) => sum + bytes, 0) +
      referrerBytes.reduce((sum, [, bytes]) => sum + bytes, 0),
    referrers: countReferrers([...referrers.values()]),
    decodedBytes: decoded,
  }
}

/** Returns true if a signature is attached to the image or one of its platforms. It is not verified. */
export function isSigned({referrers}: InspectedImage): boolean {
  return referrers.some(({kind, incomplete}) => kind === 'signature' && incomplete !== true)
}
