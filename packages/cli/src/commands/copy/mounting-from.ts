import type {ImageSink} from '@airgap-mirror/oci-client/model'

/** Returns a sink that takes blobs over from one of its own repositories instead of having them transferred. */
export function mountingFrom(from: string, sink: ImageSink): ImageSink {
  return {
    resolve: (target, options) => sink.resolve(target, options),
    manifest: (target, options) => sink.manifest(target, options),
    hasBlob: (repository, digest, options) => sink.hasBlob(repository, digest, options),
    putBlob: (repository, blob, options = {}) =>
      sink.putBlob(repository, blob, {
        ...options,
        mountFrom: [...(options.mountFrom ?? []), ...(from === repository ? [] : [from])],
      }),
    putManifest: (target, manifest, options) => sink.putManifest(target, manifest, options),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}
