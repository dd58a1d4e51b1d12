import type {TestRegistry} from '../registry/index.js'
import type {TestImage} from './images.js'

/** Puts an image into the registry without a request. */
export async function addImage(
  registry: TestRegistry,
  image: TestImage,
  options: {readonly repository: string; readonly tag?: string},
): Promise<void> {
  const {repository, tag} = options
  for (const {bytes} of image.blobs) await registry.addBlob(repository, bytes)
  for (const {bytes, descriptor} of image.manifests) {
    registry.addManifest({repository, reference: descriptor.digest, mediaType: descriptor.mediaType, bytes})
  }
  if (tag !== undefined) {
    const {bytes, descriptor} = image.root
    registry.addManifest({repository, reference: tag, mediaType: descriptor.mediaType, bytes})
  }
}
