/** Registries on the internet, by host or by the end of it. */
const KNOWN: readonly string[] = [
  'docker.io',
  'docker.com',
  'gcr.io',
  'ghcr.io',
  'quay.io',
  'k8s.io',
  'pkg.dev',
  'mcr.microsoft.com',
  'azurecr.io',
  'amazonaws.com',
  'public.ecr.aws',
  'redhat.com',
  'redhat.io',
  'openshift.org',
  'suse.com',
  'rancher.com',
  'nvcr.io',
  'icr.io',
  'elastic.co',
  'gitlab.com',
  'cgr.dev',
  'lscr.io',
  'fedoraproject.org',
  'opensuse.org',
  'oracle.com',
]

/** Ends of names that are never on the internet (RFC 2606, 6761, 6762, 9476) or by custom are not. */
const PRIVATE_ENDS =
  /(?:^|\.)(?:example|example\.(?:com|net|org)|test|invalid|localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa|alt|svc|cluster\.local)$/i

export interface PublicHostOptions {
  /** The host is the registry in the image's own name, not one that a file names as its mirror. */
  readonly isOwn: boolean
}

/**
 * True for a registry on the internet: a known one, or the image's own registry unless its name is a private one.
 * A mirror is private unless it is a known registry.
 */
export function isPublicHost(host: string, {isOwn}: PublicHostOptions): boolean {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? []
  if (KNOWN.some((known) => name === known || name.endsWith(`.${known}`))) return true
  if (!isOwn || !name.includes('.') || PRIVATE_ENDS.test(name)) return false
  return !/^[\d.]+$/.test(name) && (port === undefined || port === '443')
}
