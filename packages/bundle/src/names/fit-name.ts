import type {Digest, Reference} from '@airgap-mirror/oci-client/model'

/**
 * The name an image can go by when it has `digest`. A name may say another one: that of the index whose child for one
 * platform was saved.
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
