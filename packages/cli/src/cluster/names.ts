import {manifestKey, parseReference, type Reference} from '@airgap-mirror/oci-client/model'

/**
 * Reads a name as container runtimes do: short names belong to docker.io, a missing tag is `latest`, and a tag beside a
 * digest is dropped. Unlike elsewhere here, registry-1.docker.io is a registry of its own: no runtime knows the alias.
 * @throws {MirrorError} NAME_INVALID
 */
export function readImageName(typed: string): Reference {
  const {registry, repository, tag, digest} = parseReference(typed)
  const literal = /^registry-1\.docker\.io\/(.+?)(?:@.*|:[^/:]*(?:@.*)?)?$/.exec(typed)
  const name = {registry: literal ? 'registry-1.docker.io' : registry, repository: literal?.[1] ?? repository}
  return digest === undefined ? {...name, tag: tag ?? 'latest'} : {...name, digest}
}

/** The path of a manifest request below the API root: `REPOSITORY/manifests/TAG_OR_DIGEST`. */
export function manifestPath(reference: Reference): string {
  return `${reference.repository}/manifests/${manifestKey(reference)}`
}
