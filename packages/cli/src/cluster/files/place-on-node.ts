const PLACES: Readonly<Record<string, string>> = {
  'hosts.toml': '/etc/containerd/certs.d/_default/hosts.toml',
  'config.toml': '/etc/containerd/config.toml',
  'registries.conf': '/etc/containers/registries.conf',
  'policy.json': '/etc/containers/policy.json',
  'daemon.json': '/etc/docker/daemon.json',
}

/** The path on a node of one file that was given without its directory. */
export function placeOnNode(name: string, {as, text}: {readonly as?: string; readonly text: string}): string {
  const usual = PLACES[name]
  if (usual !== undefined) return usual
  if (name === 'registries.yaml') return `/etc/rancher/${as === 'rke2' ? 'rke2' : 'k3s'}/registries.yaml`
  if (name.endsWith('.toml')) return usualToml(text)
  if (name.endsWith('.conf')) return '/etc/containers/registries.conf'
  if (name.endsWith('.json') && as === 'docker') return '/etc/docker/daemon.json'
  return `/${name}`
}

function usualToml(text: string): string {
  const isHosts = /^\s*(?:server\s*=|\[\s*host\s*\.)/m.test(text)
  return PLACES[isHosts ? 'hosts.toml' : 'config.toml'] ?? '/etc/containerd/config.toml'
}
