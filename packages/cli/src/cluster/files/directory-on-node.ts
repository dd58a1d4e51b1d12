/**
 * Returns the node's directory that a given directory stands for, judged by its entries: `/` unless it is clearly a part
 * of /etc.
 */
export function directoryOnNode(paths: readonly string[]): string {
  const top = new Set(paths.map((path) => path.split('/')[1] ?? ''))
  const has = (...names: readonly string[]): boolean => names.some((name) => top.has(name))
  const isHostsFile = (path: string): boolean => /^\/[^/]+\/hosts\.toml$/.test(path)
  if (has('etc', 'manifests', 'root', 'var')) return '/'
  if (has('containerd', 'rancher', 'containers', 'docker', 'crio')) return '/etc'
  if (paths.some(isHostsFile)) return '/etc/containerd/certs.d'
  if (has('config.toml') && paths.some((path) => /^\/(?:certs\.d\/|conf\.d\/|config\.toml$)/.test(path)))
    return '/etc/containerd'
  if (has('registries.yaml')) return '/etc/rancher/k3s'
  if (has('registries.conf', 'registries.conf.d', 'policy.json')) return '/etc/containers'
  return has('daemon.json') ? '/etc/docker' : '/'
}
