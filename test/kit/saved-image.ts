import type {Reference} from '@airgap-mirror/oci-client/model'
import type {PlatformImage, TestImage} from './images.js'
import type {Entry} from './tar.js'

/** An image to save: by a name with a tag, or by its ID. */
export interface SavedImage {
  readonly image: TestImage
  readonly name?: Required<Pick<Reference, 'registry' | 'repository' | 'tag'>>
}

/** @throws if the image has none */
export function onlyPlatform({platforms: [platform]}: TestImage): PlatformImage {
  if (platform === undefined) throw new Error('an image without platforms')
  return platform
}

/** The blobs of a layout by hex, in the order of a directory that is walked. */
export function inBlobs(blobs: ReadonlyMap<string, Uint8Array>): readonly Entry[] {
  return [
    {path: 'blobs/', directory: true},
    {path: 'blobs/sha256/', directory: true},
    ...[...blobs]
      .map(([hex, bytes]) => ({path: `blobs/sha256/${hex}`, bytes}))
      .toSorted((left, right) => (left.path < right.path ? -1 : 1)),
  ]
}

export function fullName({registry, repository, tag}: Required<SavedImage>['name']): string {
  return `${registry}/${repository}:${tag}`
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
