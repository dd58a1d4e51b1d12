import type {MappedImage, Mapping} from './mapping.js'
import {ALL_HOSTS} from './mapping.js'
import {notExpressible} from './not-expressible.js'

/** The target repository of each source repository, by source host. */
export type Repositories = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * Targets by repository, for runtimes that do not change tags.
 * @throws {MirrorError} NOT_EXPRESSIBLE if a tag changes, or the tags of one repository go to several
 */
export function repositoriesOf(mapping: Mapping, target: string): Repositories {
  const hosts = new Map<string, Map<string, string>>()
  const retagged: MappedImage[] = []
  const divided: MappedImage[] = []
  for (const image of mapping.images) {
    const {source} = image
    const own = hosts.get(source.registry) ?? new Map<string, string>()
    hosts.set(source.registry, own)
    const known = own.get(source.repository)
    if (!keepsKey(image)) retagged.push(image)
    else if (known !== undefined && known !== image.target.repository) divided.push(image)
    else own.set(source.repository, image.target.repository)
  }
  if (retagged.length > 0) {
    throw notExpressible(`${target} cannot change the tag or digest of an image`, {images: retagged})
  }
  if (divided.length > 0) {
    const repositories = new Set(divided.map(nameOf))
    const images = mapping.images.filter((image) => repositories.has(nameOf(image)))
    throw notExpressible(`${target} cannot send tags of one repository to several`, {images})
  }
  return hosts
}

/**
 * The path below which all images of a host are, for runtimes that only put a prefix before the repository.
 * @throws {MirrorError} NOT_EXPRESSIBLE naming every image that is elsewhere
 */
export function hostBases(mapping: Mapping, target: string): ReadonlyMap<string, string> {
  refuseRewrite(mapping, target)
  const bases = new Map(mapping.bases)
  const elsewhere: MappedImage[] = []
  for (const [host, repositories] of repositoriesOf(mapping, target)) {
    const base = mapping.bases.get(host) ?? usualBase(repositories)
    if (base !== undefined) bases.set(host, base)
    elsewhere.push(
      ...mapping.images.filter(
        ({source, target: {repository}}) =>
          source.registry === host && (base === undefined || repository !== under(base, source.repository)),
      ),
    )
  }
  if (elsewhere.length === 0) return bases
  throw notExpressible(`${target} can only put one prefix before all repositories of a host`, {
    images: elsewhere,
  })
}

/** A source name, of a host or of one repository, and the path that takes its place. */
export interface Route {
  readonly host: string
  /** Absent: the whole host. */
  readonly repository?: string
  readonly path: string
}

/**
 * Whole hosts, and single repositories that differ.
 * @param options.isExact a repository's route does not hold for those whose names begin with it
 * @throws {MirrorError} NOT_EXPRESSIBLE
 */
export function routesOf(
  mapping: Mapping,
  {target, isExact = false}: {readonly target: string; readonly isExact?: boolean},
): readonly Route[] {
  refuseRewrite(mapping, target)
  const routes: Route[] = [...mapping.bases].map(([host, path]) => ({host, path}))
  for (const [host, repositories] of repositoriesOf(mapping, target)) {
    const base = mapping.bases.get(host) ?? usualBase(repositories)
    if (base !== undefined && !mapping.bases.has(host)) routes.push({host, path: base})
    const own = new Map<string, string>()
    for (const [repository, path] of [...repositories].toSorted(
      ([left], [right]) => left.length - right.length,
    )) {
      if (routed(repository, {base, own: isExact ? NONE : own}) !== path) {
        own.set(repository, path)
        routes.push({host, repository, path})
      }
    }
  }
  return routes
}

/** True if the target has no entry for every host that is not named. */
export function refuseAllHosts(mapping: Mapping, target: string): void {
  if (!mapping.bases.has(ALL_HOSTS)) return
  throw notExpressible(`${target} has no entry for all hosts, as --host "*" asks for`, {
    images: mapping.images,
    hint: 'Name each source host with --host.',
  })
}

export function under(base: string, repository: string): string {
  return base === '' ? repository : `${base}/${repository}`
}

/** The path with which most repositories of a host begin at the target, the source's path after it. */
export function usualBase(repositories: ReadonlyMap<string, string>): string | undefined {
  const votes = new Map<string, number>()
  for (const [source, target] of repositories) {
    const base = baseBetween(source, target)
    if (base !== undefined) votes.set(base, (votes.get(base) ?? 0) + 1)
  }
  return [...votes].toSorted(([, left], [, right]) => right - left)[0]?.[0]
}

const NONE: ReadonlyMap<string, string> = new Map()

function baseBetween(source: string, target: string): string | undefined {
  if (source === target) return ''
  return target.endsWith(`/${source}`) ? target.slice(0, -source.length - 1) : undefined
}

function routed(
  repository: string,
  {base, own}: {readonly base: string | undefined; readonly own: ReadonlyMap<string, string>},
): string | undefined {
  const parts = repository.split('/')
  for (let length = parts.length; length > 0; length--) {
    const path = own.get(parts.slice(0, length).join('/'))
    if (path !== undefined) return [path, ...parts.slice(length)].join('/')
  }
  return base === undefined ? undefined : under(base, repository)
}

function refuseRewrite(mapping: Mapping, target: string): void {
  if (mapping.rewrite === undefined || mapping.bases.size === 0) return
  throw notExpressible(`${target} cannot rewrite every repository of a host by a regular expression`, {
    images: mapping.images,
    hint: 'Name the images with --images, --source or --report instead of --host.',
  })
}

function keepsKey({source, target}: MappedImage): boolean {
  if (target.digest !== source.digest) return false
  const isLatest = source.tag === undefined && source.digest === undefined && target.tag === 'latest'
  return target.tag === source.tag || isLatest
}

function nameOf({source}: MappedImage): string {
  return `${source.registry}/${source.repository}`
}
