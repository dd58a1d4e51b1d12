import {MirrorError, type Descriptor, type Digest, type Platform} from '@airgap-mirror/oci-client/model'

/**
 * Reads `OS/ARCH[/VARIANT]`.
 * @throws {MirrorError} USAGE
 */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/')
  if (!os || !architecture || variant === '' || rest.length > 0) {
    throw new MirrorError('USAGE', `--platform ${JSON.stringify(text)} is not OS/ARCH[/VARIANT]`, {
      hint: 'Write it as in linux/amd64 or linux/arm/v7.',
    })
  }
  return {os, architecture, variant}
}

/** Returns an index's children for the wanted platforms, and their attestations. */
export function childrenFor(
  children: readonly Descriptor[],
  wanted: readonly Platform[],
): ReadonlySet<Digest> {
  const kept = new Set<Digest>()
  for (const child of children) {
    if (child.platform !== undefined && wanted.some((platform) => matches(child.platform, platform)))
      kept.add(child.digest)
  }
  // buildkit puts attestations beside their image, under the platform unknown/unknown
  const about = (child: Descriptor): string => child.annotations?.['vnd.docker.reference.digest'] ?? ''
  for (const child of children) if (kept.has(about(child) as Digest)) kept.add(child.digest)
  return kept
}

/** buildx stores attestations beside the images of an index, as if they were platforms. */
export function isAttestation({platform, annotations}: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' || platform?.os === 'unknown'
}

/** Returns true if a platform is the wanted one. A wanted platform without a variant matches any variant. */
export function matches(own: Platform | undefined, wanted: Platform): boolean {
  return (
    own?.os === wanted.os &&
    own.architecture === wanted.architecture &&
    (wanted.variant === undefined ||
      (own.variant ?? (own.architecture === 'arm64' ? 'v8' : undefined)) === wanted.variant)
  )
}
