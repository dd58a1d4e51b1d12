import {isDigest, type Digest} from './digest.js'
import {MirrorError} from './error.js'
import {limits} from './limits.js'

/** A repository of a registry. `registry` is `host[:port]`, `repository` has no host. */
export interface Place {
  readonly registry: string
  readonly repository: string
}

/** A full image name: with a tag, a digest, both or neither. */
export interface Reference extends Place {
  readonly tag?: string
  readonly digest?: Digest
}

const COMPONENT = /[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*/.source
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const LABEL = /[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/.source
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?$`)

export const DOCKER_HUB = 'docker.io'
const HUB_HOSTS: ReadonlySet<string> = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'])

/** Returns `host[:port]` in the form in which registries are compared: lower case, and one name for Docker Hub. */
export function canonicalRegistry(host: string): string {
  const lower = host.toLowerCase()
  return HUB_HOSTS.has(lower) ? DOCKER_HUB : lower
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}
export function isRegistry(text: string): boolean {
  return text.length <= 261 && REGISTRY.test(text)
}
export function isRepository(text: string): boolean {
  return text.length <= limits.repositoryLength && REPOSITORY.test(text)
}

/**
 * Parses a name as docker does: no host means docker.io, and a single component there means `library/`. Adds no tag.
 * @throws {MirrorError} NAME_INVALID
 */
export function parseReference(text: string): Reference {
  if (text.length === 0 || text.length > limits.referenceLength)
    throw invalid(text, 'its length is not between 1 and 1024')
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest))
    throw invalid(text, 'its digest is not sha256 or sha512 in lower case')
  const name = at < 0 ? text : text.slice(0, at)
  const colon = name.lastIndexOf(':')
  const tagged = colon > name.lastIndexOf('/')
  const tag = tagged ? name.slice(colon + 1) : undefined
  if (tag !== undefined && !isTag(tag)) throw invalid(text, 'its tag is not valid')
  const path = tagged ? name.slice(0, colon) : name
  const {registry, repository} = splitHost(path)
  if (!isRegistry(registry)) throw invalid(text, 'its host is not valid')
  if (!isRepository(repository)) {
    throw invalid(
      text,
      /[A-Z]/.test(repository) ? 'repository names are lower case' : 'its repository is not valid',
    )
  }
  return {
    registry,
    repository,
    tag,
    digest,
  }
}

/** Returns `registry/repository[:tag][@digest]`. Equal references give equal text. */
export function formatReference({registry, repository, tag, digest}: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Returns the last path segment of a manifest's URL: the tag, else the digest, else `latest`. */
export function manifestKey({tag, digest}: Reference): string {
  return tag ?? digest ?? 'latest'
}

function splitHost(path: string): {registry: string; repository: string} {
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const isHost = first === 'localhost' || /[.:[]/.test(first) || /[A-Z]/.test(first)
  const registry = isHost ? first : DOCKER_HUB
  const rest = isHost ? path.slice(slash + 1) : path
  const hub = HUB_HOSTS.has(registry) ? DOCKER_HUB : registry
  return {registry: hub, repository: hub === DOCKER_HUB && !rest.includes('/') ? `library/${rest}` : rest}
}

function invalid(text: string, why: string): MirrorError {
  return new MirrorError('NAME_INVALID', `invalid image name ${JSON.stringify(text.slice(0, 200))}: ${why}`)
}
