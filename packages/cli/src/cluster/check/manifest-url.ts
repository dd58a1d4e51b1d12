import {isDigest, isRepository, isTag, type Reference} from '@airgap-mirror/oci-client/model'

/** The image that a manifest URL stands for; undefined if it is no URL, or its path is not `/v2/REPOSITORY/manifests/REFERENCE`. */
export function parseManifestUrl(url: string): Reference | undefined {
  if (!URL.canParse(url)) return undefined
  const {host, pathname} = new URL(url)
  const [, repository = '', version = ''] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(pathname) ?? []
  if (!isRepository(repository)) return undefined
  if (isDigest(version)) return {registry: host, repository, digest: version}
  return isTag(version) ? {registry: host, repository, tag: version} : undefined
}

/** Returns true if the image's registry is `host`. The ports 443 and 80 and letter case do not count. */
export function placeIn({registry}: Reference, host: string): boolean {
  const normal = (text: string): string => text.replace(/:(?:443|80)$/, '').toLowerCase()
  return normal(registry) === normal(host)
}
