import {posix} from 'node:path'
import type {Reference} from '@airgap-mirror/oci-client/model'
import type {Answer, Try} from '../explanation.js'
import {manifestPath} from '../names.js'
import type {NodeLogin} from '../node-login.js'
import {isPublicHost} from '../public-registry.js'
import {triesHttpsFirst, type RegistryHost} from './registry-host.js'
import {rewriteRepository} from './rewrite-repository.js'

/** A credential that the node has for a host, and where it is written. */
export interface NodeCredential {
  readonly kind: string
  readonly source: string
  readonly login?: () => NodeLogin
}

export interface RequestOptions {
  readonly reference: Reference
  /** By the host that is contacted, with its port. */
  readonly credentialFor: (host: string) => NodeCredential | undefined
}

/** The manifest requests that containerd makes over a list of hosts, while every answer is 404. */
export function requestsOver(
  hosts: readonly RegistryHost[],
  options: RequestOptions,
): Pick<Answer, 'outcome' | 'message' | 'tries' | 'warnings'> {
  const isByDigest = options.reference.digest !== undefined
  const able = hosts.filter(({canPull, canResolve}) => canPull && (isByDigest || canResolve))
  const skipped = hosts
    .filter((host) => !able.includes(host))
    .map(
      ({source}) =>
        `${source} is skipped: its capabilities lack ${isByDigest ? 'pull' : 'pull or resolve, which a tag needs'}`,
    )
  if (able.length === 0) {
    return {outcome: 'error', message: 'no resolve hosts: not found', tries: [], warnings: skipped}
  }
  const made = able.map((host) => triesOf(host, options))
  const [ambiguous] = made.flatMap((one) => one.choices)
  const tries = expectTlsErrors(made.flatMap((one) => one.tries))
  const warnings = [...skipped, ...made.flatMap((one) => one.warnings)]
  if (ambiguous === undefined) return {outcome: 'tries-all', tries, warnings}
  const message = `several rewrites match ${options.reference.repository} and the first one of a random order counts: ${ambiguous}`
  return {outcome: 'ambiguous', message, tries, warnings}
}

interface MadeTries {
  readonly tries: readonly Try[]
  readonly choices: readonly string[]
  readonly warnings: readonly string[]
}

function triesOf(host: RegistryHost, options: RequestOptions): MadeTries {
  const {registry, repository} = options.reference
  const {repositories, warnings} = rewriteRepository(repository, host.rewrites ?? [])
  const [first = repository, second] = repositories
  const url = (scheme: string, name: string): string => {
    const path = posix.join('/', host.path, manifestPath({...options.reference, repository: name}))
    return `${scheme}://${host.host}${path}${namespaceQuery(registry, host.host)}`
  }
  const credential: NodeCredential | undefined = host.sendsAuthorization
    ? {kind: 'header', source: host.source}
    : options.credentialFor(host.host)
  const one = (scheme: string): Try => ({
    url: url(scheme, first),
    source: host.source,
    ca: host.ca.length === 0 ? undefined : host.ca.join(', '),
    auth: credential?.kind ?? 'none',
    authSource: credential?.source,
    login: credential?.login,
    skipVerify: host.skipVerify === true,
    public: isPublicHost(host.host, {isOwn: host.host === registry}),
    only: host.expectsTlsError ? 'tls-error' : undefined,
    orUrl: second === undefined ? undefined : url(scheme, second),
  })
  const tries: readonly Try[] = triesHttpsFirst(host)
    ? [
        {
          ...one('https'),
          source: `${host.source}: http with TLS settings, so https first`,
          only: 'tls-error',
        },
        one('http'),
      ]
    : [one(host.scheme)]
  return {tries, warnings, choices: second === undefined ? [] : [repositories.join(' or ')]}
}

/** `?ns=REGISTRY`, by which a mirror knows which registry is meant; only hosts other than that registry get it. */
function namespaceQuery(registry: string, host: string): string {
  const isOwn = host === registry || (registry === 'docker.io' && host === 'registry-1.docker.io')
  return isOwn ? '' : `?ns=${encodeURIComponent(registry)}`
}

/** A host that is configured as plain HTTP does not speak TLS on the same port. */
function expectTlsErrors(tries: readonly Try[]): readonly Try[] {
  const plain = new Set(tries.filter(({url}) => url.startsWith('http:')).map(({url}) => hostIn(url)))
  return tries.map((one) =>
    one.url.startsWith('https:') && plain.has(hostIn(one.url)) ? {...one, only: 'tls-error'} : one,
  )
}

function hostIn(url: string): string {
  return /^\w+:\/\/([^/]*)/.exec(url)?.[1] ?? ''
}
