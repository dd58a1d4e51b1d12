import {parseManifest, type ImageSink, type Reference} from '@airgap-mirror/oci-client/model'
import {memoryBlob, type TestImage} from '@airgap-mirror/test/kit'

/** Puts an image as the engine does: blobs, then manifests by digest, then the root under its tag. */
export async function putImage(
  sink: ImageSink,
  {manifests, blobs}: TestImage,
  {registry, repository, tag}: Reference,
): Promise<void> {
  for (const blob of blobs) await sink.putBlob(repository, memoryBlob(blob))
  for (const [index, {descriptor, bytes}] of manifests.entries()) {
    const isRoot = index === manifests.length - 1
    const target = isRoot ? {registry, repository, tag} : {registry, repository, digest: descriptor.digest}
    await sink.putManifest(target, parseManifest(bytes, {mediaType: descriptor.mediaType}))
  }
}
