import type {Producer} from '@airgap-mirror/bundle/internal'
import {count, formatBytes} from '../../text/format-quantity.js'
import type {Inspection, InspectedBundle, ReferrerCounts, ReferrerKind} from './inspection.js'

const FORMATS: Readonly<Record<string, string>> = {
  'oci-layout': 'OCI image layout',
  'docker-archive': 'docker-archive',
  imgpkg: 'imgpkg archive',
  'skopeo-dir': 'skopeo directory',
  nested: 'several archives in one',
  unknown: 'no form of images that is known',
  unreadable: 'unreadable',
}

const PRODUCERS: Readonly<Record<Producer, string>> = {
  own: 'mirror',
  hauler: 'hauler',
  zarf: 'zarf',
  docker: 'docker 25 or later',
  'docker-before-25': 'docker before 25',
  containerd: 'containerd',
  buildkit: 'BuildKit',
  'containers-image': 'skopeo or podman',
  'go-containerregistry': 'crane, ko or kaniko',
  imgpkg: 'imgpkg',
}

/** Returns the name of a format for people. */
export function formatName(format: string): string {
  return FORMATS[format] ?? format
}

/** Returns the name of a producer for people; undefined if it is not known. */
export function producerName(producer: string | undefined): string | undefined {
  return producer === undefined ? undefined : (PRODUCERS[producer as Producer] ?? producer)
}

/** `812 MB, xz in 34 blocks, 1.02 GB unpacked`. */
export function storageWords({kind, bytes, plainBytes, compression, volumes}: InspectedBundle): string {
  const {codec, blocks} = compression
  const unit = codec === 'zstd' ? 'frame' : 'block'
  const packed = blocks === undefined ? codec : `${codec} in ${count(blocks, unit)}`
  return [
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    ...(volumes.length === 0 ? [] : [`in ${count(volumes.length, 'volume')}`]),
    ...(kind === 'directory' ? ['a directory'] : codec === 'none' ? ['not compressed'] : [packed]),
    ...(codec === 'none' ? [] : [`${formatBytes(plainBytes)} unpacked`]),
  ].join(', ')
}

const KINDS: readonly (readonly [ReferrerKind, string, string])[] = [
  ['signature', 'signature', 'signatures'],
  ['attestation', 'attestation', 'attestations'],
  ['sbom', 'SBOM', 'SBOMs'],
  ['other', 'other referrer', 'other referrers'],
]

/** `2 signatures, 1 SBOM`; empty if there are none. */
export function referrerWords(counts: ReferrerCounts): string {
  return KINDS.filter(([kind]) => counts[kind] > 0)
    .map(([kind, one, many]) => `${counts[kind]} ${counts[kind] === 1 ? one : many}`)
    .join(', ')
}

/** Returns the name of a kind of referrer for people. */
export function kindName(kind: ReferrerKind): string {
  return KINDS.find(([known]) => known === kind)?.[1] ?? kind
}

/** `15 images for linux/amd64, 43 blobs and 16 manifests, 812 MB of content`. */
export function contentWords({totals}: Pick<Inspection, 'totals'>): string {
  const {images, blobs, manifests, contentBytes} = totals
  return `${count(images, 'image')}, ${count(manifests, 'manifest')}, ${count(blobs, 'blob')}, ${formatBytes(contentBytes)} of content`
}
