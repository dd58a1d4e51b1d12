import {DOCKER_HUB} from '@airgap-mirror/oci-client/model'

const HUB_HOSTS: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io'])

/** A host as image names have it, so that it finds its registry: lower case, and one name for Docker Hub. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase()
  return HUB_HOSTS.has(lower) ? DOCKER_HUB : lower
}
