import {
  childrenOf,
  openRegistry,
  openRegistrySource,
  parseReference,
  type Descriptor,
  type Reference,
  type RegistryOptions,
} from '@airgap-mirror/oci-client'

/** Copies an image with all its platforms to another registry. Content that is there already is not sent. */
export async function copyImage(
  from: string,
  to: string,
  options: Partial<RegistryOptions> = {},
): Promise<void> {
  const target = parseReference(to)
  const place = {registry: target.registry, repository: target.repository}
  await using source = openRegistrySource({
    references: [parseReference(from)],
    referrers: false,
    registryFor: (registry) => ({...options, registry, side: 'source'}),
  })
  await using registry = openRegistry({...options, registry: target.registry, side: 'target'})

  const copy = async (root: Descriptor, at: Reference): Promise<void> => {
    const manifest = await source.manifest(root)
    for (const child of childrenOf(manifest)) {
      if (manifest.kind === 'index') await copy(child, {...place, digest: child.digest})
      else if (source.has(child)) await registry.putBlob(at.repository, source.blob(child))
    }
    await registry.putManifest(at, manifest)
  }

  for (const {root} of await source.images()) {
    if ('error' in root) throw root.error
    if ('manifest' in root) await copy(root.manifest, target)
  }
}
