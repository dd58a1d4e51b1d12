import type {Digest, Reference} from '@airgap-mirror/oci-client/model'

/**
 * Returns the name of an image with `digest`. A recorded name may hold another digest: the index's, if a single platform
 * was saved from it.
 */
export function fitName(
  name: Reference,
  digest: Digest,
): {readonly name: Reference; readonly digestChanged?: string} {
  if (name.digest === undefined || name.digest === digest) return {name}
  const {registry, repository, tag} = name
  return {
    name: {registry, repository, ...(tag === undefined ? {digest} : {tag})},
    digestChanged: `the bundle records the digest ${name.digest} for it but holds ${digest}, perhaps one platform of it`,
  }
}
