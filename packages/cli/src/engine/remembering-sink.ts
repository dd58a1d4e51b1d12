import {
  formatReference,
  isMirrorError,
  type Descriptor,
  type ImageSink,
} from '@airgap-mirror/oci-client/model'

/**
 * A sink that answers some names from `known` and asks for the others. A name that cannot be asked counts as absent: the
 * attempt to push it will report the error.
 */
export function rememberingSink(
  sink: ImageSink,
  known: ReadonlyMap<string, Descriptor | undefined>,
): Pick<ImageSink, 'resolve' | 'manifest' | 'hasBlob'> {
  return {
    manifest: (target, call) => sink.manifest(target, call),
    hasBlob: (repository, digest, call) => sink.hasBlob(repository, digest, call),
    resolve: async (target, call) => {
      const name = formatReference(target)
      if (known.has(name)) return known.get(name)
      try {
        return await sink.resolve(target, call)
      } catch (error) {
        if (isMirrorError(error) && error.code !== 'CANCELLED') return undefined
        throw error
      }
    },
  }
}
