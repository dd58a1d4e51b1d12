import {join} from 'node:path'
import {
  type Content,
  type ImageSink,
  type ImageSource,
  type Manifest,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {ociLayout, writeDirectory, type NamedImage} from '@airgap-mirror/test/kit'
import {openBundle, type BundleSource, type LayerCompression} from '#src/index.js'

export const REF_NAME = 'org.opencontainers.image.ref.name'

export const target: Reference = {registry: 'target', repository: 'image', tag: 'latest'}

/** Returns an open layout as skopeo writes it. */
export async function openLayout(directory: string, images: readonly NamedImage[]): Promise<BundleSource> {
  const path = join(directory, 'source')
  await writeDirectory(path, ociLayout(images))
  return openBundle(path)
}

/** Returns the only image of a bundle. */
export async function onlyImage(source: ImageSource): Promise<SourceImage> {
  const [image, ...others] = await source.images()
  if (image === undefined || others.length > 0) throw new Error(`${others.length + 1} images instead of one`)
  return image
}

/**
 * Transfers an image into a sink as the engine does: blobs in parallel, then manifests by digest, then the root by its
 * tag.
 */
export async function transfer(
  image: SourceImage,
  {source, sink, to = target}: {source: ImageSource; sink: ImageSink; to?: Reference},
): Promise<void> {
  const put = (content: Content) => sink.putBlob('image', source.blob(content))
  if ('error' in image.root) throw image.root.error
  if ('pending' in image.root) {
    const {pending} = image.root
    await put(pending.config)
    const outcomes = await Promise.all(pending.layers.map(put))
    await sink.putManifest(to, pending.manifest(outcomes.map(({descriptor}) => descriptor)))
    return
  }
  const tree = await manifestsOf(source, await source.manifest(image.root.manifest))
  const blobs = tree.flatMap((manifest) =>
    manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : [],
  )
  const distinct = new Map(blobs.map((blob) => [blob.digest, blob]))
  await Promise.all([...distinct.values()].map(put))
  for (const manifest of tree.slice(1)) {
    const {digest} = manifest.descriptor
    await sink.putManifest({registry: 'target', repository: 'image', digest}, manifest)
  }
  const [root] = tree
  if (root !== undefined) await sink.putManifest(to, root)
}

/** Returns parents before children. */
async function manifestsOf(source: ImageSource, root: Manifest): Promise<readonly Manifest[]> {
  const tree = [root]
  for (const child of root.kind === 'index' ? root.children : [])
    tree.push(...(await manifestsOf(source, await source.manifest(child))))
  return tree
}

/** Opens a bundle, passes it to a function and closes it. */
export async function withBundle<Result>(
  path: string,
  body: (source: BundleSource) => Promise<Result>,
  options: {readonly layerCompression?: LayerCompression} = {},
): Promise<Result> {
  await using source = await openBundle(path, options)
  return await body(source)
}
