import {openBundle} from '@airgap-mirror/bundle'
import {
  childrenOf,
  openRegistry,
  type Content,
  type Descriptor,
  type Reference,
  type RegistryOptions,
} from '@airgap-mirror/oci-client'

/** Pushes every image that has a tag, of a bundle of any format, and returns where the images are now. */
export async function pushBundle(path: string, options: RegistryOptions): Promise<readonly Reference[]> {
  await using bundle = await openBundle(path)
  await using registry = openRegistry(options)
  const pushed: Reference[] = []

  const put = async ({repository}: Reference, content: Content): Promise<Descriptor> =>
    (await registry.putBlob(repository, bundle.blob(content))).descriptor

  const push = async (root: Descriptor, at: Reference): Promise<void> => {
    const manifest = await bundle.manifest(root)
    for (const child of childrenOf(manifest)) {
      const {repository} = at
      if (manifest.kind === 'index')
        await push(child, {registry: options.registry, repository, digest: child.digest})
      else if (bundle.has(child)) await put(at, child)
    }
    await registry.putManifest(at, manifest)
  }

  for (const {name, root} of await bundle.images()) {
    if (name?.tag === undefined) continue
    const at = {registry: options.registry, repository: name.repository, tag: name.tag}
    if ('error' in root) throw root.error
    if ('manifest' in root) await push(root.manifest, at)
    else {
      // A docker-archive has plain layers and no manifest: both come to be while the layers are sent.
      const {config, layers} = root.pending
      const sent: Descriptor[] = []
      for (const layer of layers) sent.push(await put(at, layer))
      await put(at, config)
      await registry.putManifest(at, root.pending.manifest(sent))
    }
    pushed.push(at)
  }
  return pushed
}
