import {resolve} from 'node:path'
import {parseReference, type Digest, defined} from '@airgap-mirror/oci-client/model'
import {parseListedImage} from '../names/image-list.js'
import {referenceKey} from '../names/naming.js'
import {parseRegistryTarget} from '../names/registry-target.js'
import {parseRewriteRule} from '../names/rewrite.js'
import {parsePlatform} from '../names/platforms.js'
import {parseDuration, parseRate, parseSize} from '../text/parse-quantity.js'
import type {TagFilter} from './choose-tags.js'
import type {Job, JobNaming, JobRepository, JobTarget, RegistrySettings} from './job.js'
import type {
  RawJob,
  RawNaming,
  RawPatterns,
  RawRegistry,
  RawRepository,
  RawTagFilter,
  RawTarget,
  Several,
} from './raw-job.js'
import type {TagPatterns} from './tag-patterns.js'

/** A job that the schema has let through, with its defaults. Names of files become absolute. */
export function readJob(raw: RawJob, directory: string): Job {
  const {name, prune, referrers} = raw
  return {
    name,
    images: listOf(raw.images).map((path) => (path === '-' ? path : resolve(directory, path))),
    references: listOf(raw.references).map(parseListedImage),
    repositories: (raw.repositories ?? []).map(readRepository),
    targets: listOf(raw.targets).map((target) => readTarget(target, {job: raw, directory})),
    naming: {...readNaming(raw, directory), ...defined({namespace: raw.namespace})},
    include: listOf(raw.include),
    exclude: listOf(raw.exclude),
    ...defined({
      platforms: raw.platforms === undefined ? undefined : listOf(raw.platforms).map(parsePlatform),
      sparse: raw['sparse-index'],
      referrers,
      immutable: readImmutable(raw.immutable),
      prune,
      pruneMax: raw['prune-max'],
    }),
  }
}

/** Settings of one registry that the schema has let through. */
export function readRegistry(raw: RawRegistry, directory: string): RegistrySettings {
  const file = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(directory, path)
  const {username, password, cacert, proxy, concurrency, retries} = raw
  const chunkSize = raw['chunk-size']
  return defined({
    username,
    password,
    passwordFile: file(raw['password-file']),
    dockerConfig: file(raw['docker-config']),
    credentialHelper: raw['credential-helper'],
    serviceAccountKey: file(raw['service-account-key']),
    needCredential: raw['need-credential'],
    cacert: file(cacert),
    clientCert: file(raw['client-cert']),
    clientKey: file(raw['client-key']),
    insecureSkipTlsVerify: raw['insecure-skip-tls-verify'],
    plainHttp: raw['plain-http'],
    proxy,
    noProxy: raw['no-proxy'],
    limitRate: quantity(raw['limit-rate'], parseRate),
    concurrency,
    chunkSize: chunkSize === 'auto' ? 'auto' : quantity(chunkSize, parseSize),
    retries,
    retryMaxWait: quantity(raw['retry-max-wait'], parseDuration),
  })
}

function readTarget(
  raw: RawTarget,
  {job, directory}: {readonly job: RawNaming; readonly directory: string},
): JobTarget {
  const own: RawNaming & {readonly registry: string} = typeof raw === 'string' ? {registry: raw} : raw
  const {registry, namespace} = parseRegistryTarget(own.registry)
  const below = own.namespace ?? job.namespace
  return {
    text: own.registry,
    registry,
    namespace: [namespace, below].filter(Boolean).join('/'),
    naming: {...readNaming(job, directory), ...readNaming(own, directory)},
  }
}

function readNaming(raw: RawNaming, directory: string): JobNaming {
  const {rewrite, map} = raw
  return defined({
    mapHost: raw['map-host'],
    rewrites: rewrite === undefined ? undefined : listOf(rewrite).map(parseRewriteRule),
    mapFile: typeof map === 'string' ? resolve(directory, map) : undefined,
    map:
      typeof map === 'object'
        ? new Map(Object.entries(map).map(([source, to]) => [referenceKey(parseReference(source)), to]))
        : undefined,
    maxDepth: raw['max-depth'],
  })
}

function readRepository(raw: RawRepository): JobRepository {
  const own: Exclude<RawRepository, string> = typeof raw === 'string' ? {repository: raw} : raw
  const {registry, repository} = parseReference(own.repository)
  const digests = listOf(own.digests) as readonly Digest[]
  return {
    registry,
    repository,
    digests,
    ...defined({
      tags: own.tags === undefined ? undefined : readFilters(listOf(own.tags)),
      target: own.target,
    }),
  }
}

/** Names and filters become filters: the names together are the first. */
function readFilters(raw: readonly (string | RawTagFilter)[]): readonly TagFilter[] {
  const exact = raw.filter((one) => typeof one === 'string')
  const filters = raw.filter((one) => typeof one !== 'string')
  return [...(exact.length === 0 ? [] : [{exact}]), ...filters.map(readFilter)]
}

function readFilter({exact, glob, regex, semver, prereleases, newest, exclude}: RawTagFilter): TagFilter {
  return defined({
    exact: exact === undefined ? undefined : listOf(exact),
    glob: glob === undefined ? undefined : listOf(glob),
    regex: regex === undefined ? undefined : listOf(regex),
    semver,
    prereleases,
    newest,
    exclude: exclude === undefined ? undefined : readPatterns(exclude),
  })
}

function readPatterns(raw: RawPatterns): TagPatterns {
  if (typeof raw === 'string') return {glob: [raw]}
  if ('glob' in raw || 'regex' in raw) return {glob: listOf(raw.glob), regex: listOf(raw.regex)}
  return {glob: raw as readonly string[]}
}

function readImmutable(raw: boolean | RawPatterns | undefined): TagPatterns | undefined {
  if (raw === undefined || raw === false) return undefined
  return raw === true ? {glob: ['*']} : readPatterns(raw)
}

function quantity(raw: string | number | undefined, parse: (text: string) => number): number | undefined {
  return typeof raw === 'string' ? parse(raw) : raw
}

function listOf<Item>(raw: Several<Item> | undefined): readonly Item[] {
  return raw === undefined ? [] : Array.isArray(raw) ? (raw as readonly Item[]) : [raw as Item]
}
