import {
  isForeignLayerType,
  mediaTypes,
  MirrorError,
  type CallOptions,
  type ImageSource,
} from '@airgap-mirror/oci-client/model'
import type {NarrowedImage} from './narrow-image.js'
import type {Place} from './place.js'

/** Returns true if the target can keep referrers beside an image. */
export function holdsReferrers({transport}: Place): boolean {
  return transport !== 'dir' && transport !== 'docker-archive'
}

/**
 * Refuses content that a docker-archive cannot hold, before anything is fetched.
 * @throws {MirrorError} USAGE, the errors of the source
 */
export async function refuseUnfit(
  {image, platforms}: NarrowedImage,
  {to, source, signal}: CallOptions & {readonly to: Place; readonly source: ImageSource},
): Promise<void> {
  if (to.transport !== 'docker-archive' || !('manifest' in image.root)) return
  const manifest = await source.manifest(image.root.manifest, {signal})
  if (manifest.kind === 'index') {
    const several =
      platforms.length === 0 ? 'the image is an index of platforms' : 'these are several platforms'
    throw new MirrorError('USAGE', `a docker-archive holds one platform, and ${several}`, {
      side: 'target',
      hint: 'Choose one with --platform, such as --platform linux/amd64, or copy to an oci-archive.',
    })
  }
  const other = [
    ...(CONFIGS.has(manifest.config.mediaType) ? [] : [manifest.config]),
    ...manifest.layers.filter((layer) => isForeignLayerType(layer.mediaType) && !source.has(layer)),
  ].at(0)
  if (other === undefined) return
  throw new MirrorError('USAGE', `a docker-archive has no place for content of the type ${other.mediaType}`, {
    side: 'target',
    hint: 'Copy it to an oci-archive, which holds artifacts and foreign layers, too.',
  })
}

const CONFIGS: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Early Docker registries gave configs this type.
  'application/octet-stream',
])
