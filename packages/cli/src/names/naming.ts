import {
  DOCKER_HUB,
  formatReference,
  hexOf,
  isRepository,
  limits,
  MirrorError,
  parseReference,
  type Digest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {RewriteRule} from './rewrite.js'

export interface NamingRules {
  /** `host[:port]` of the private registry. */
  readonly registry: string
  /** Path under which everything goes; empty for none. */
  readonly namespace: string
  readonly mapHost: 'drop' | 'keep'
  readonly rewrites: readonly RewriteRule[]
  /** From `--map`: a source reference, a digest or the text shown for an unnamed image, to a target that wins over all rules. */
  readonly map: ReadonlyMap<string, string>
  /** Most components of a target repository, namespace included; deeper ones are joined with `-`. */
  readonly maxDepth: number | undefined
}

/** The facts of an image that its target name can depend on. */
export interface Nameable {
  readonly name?: Reference
  readonly shownAs?: string
  readonly refusedName?: string
  readonly digest?: Digest
  /** The digest of its config. */
  readonly id?: Digest
}

/**
 * Returns the target of an image by the naming rules. The tag defaults to `latest`; a reference by digest alone keeps
 * no tag.
 * @throws {MirrorError} NAME_MISSING for an image without a name that `--map` does not name either, NAME_INVALID
 */
export function mapName(image: Nameable, rules: NamingRules): Reference {
  const mapped = mappedTarget(image, rules)
  if (mapped !== undefined) return mapped
  const {name} = image
  if (name === undefined) {
    const known = keyOf(image)
    const {shownAs, refusedName} = image
    throw new MirrorError(
      'NAME_MISSING',
      refusedName === undefined
        ? `${known} has no name in the source${shownAs === undefined ? '' : ` (${shownAs})`}`
        : `${known} has a name that no registry takes: ${refusedName.slice(0, 300)}`,
      {
        side: 'source',
        advice: {kind: 'name-image', image: known},
      },
    )
  }
  const host = rules.mapHost === 'keep' ? `${hostComponent(name.registry)}/` : ''
  const path = rules.rewrites.reduce((current, rule) => rule.apply(current), host + name.repository)
  return target(path, name, {rules, source: formatReference(name)})
}

/** The shortest key under which `--map` knows an image without a name. */
export function keyOf({id, digest, shownAs}: Nameable): string {
  return id === undefined ? (digest ?? shownAs ?? 'an image') : shortId(id)
}

/** As docker shows image IDs. */
function shortId(id: Digest): string {
  return hexOf(id).slice(0, 12)
}

/** The keys of an image ID: whole, without its algorithm, and shortened as docker shows it. */
function idKeys(id: Digest | undefined): readonly string[] {
  return id === undefined ? [] : [id, hexOf(id), shortId(id)]
}

/** Returns true if `--map` names the image by its digest or ID. */
export function isMappedByDigest({digest, id}: Nameable, {map}: NamingRules): boolean {
  return [digest, ...idKeys(id)].some((key) => key !== undefined && map.has(key))
}

/** The key under which `--map` and `--images` know a reference: with `latest` where neither tag nor digest is written. */
export function referenceKey(name: Reference): string {
  return formatReference(
    name.tag === undefined && name.digest === undefined ? {...name, tag: 'latest'} : name,
  )
}

/** The keys under which `--map` knows an image, the most trusted first. */
export function mapKeysOf({name, digest, id, shownAs}: Nameable): readonly string[] {
  // A digest says more than a name, which may stand for several images.
  const keys = [digest, ...idKeys(id), name === undefined ? undefined : referenceKey(name), shownAs]
  return keys.filter((key) => key !== undefined)
}

function mappedTarget(image: Nameable, rules: NamingRules): Reference | undefined {
  const found = mapKeysOf(image)
    .map((key) => rules.map.get(key))
    .find((text) => text !== undefined)
  if (found === undefined) return undefined
  const {name} = image
  const own = `${rules.registry}/`
  const bare = found.startsWith(own)
    ? found.slice(own.length)
    : [rules.namespace, found].filter(Boolean).join('/')
  const {tag, digest, repository} = parseReference(`${DOCKER_HUB}/${bare}`)
  const kept = bare.includes('/') ? repository : repository.replace(/^library\//, '')
  return checked(
    {registry: rules.registry, repository: kept, tag: tag ?? name?.tag, digest: digest ?? name?.digest},
    found,
  )
}

function target(
  path: string,
  name: Reference,
  {rules, source}: {rules: NamingRules; source: string},
): Reference {
  const components = [...rules.namespace.split('/'), ...path.split('/')].filter((part) => part !== '')
  const depth = Math.min(rules.maxDepth ?? components.length, components.length)
  const repository = [...components.slice(0, depth - 1), components.slice(depth - 1).join('-')].join('/')
  return checked({registry: rules.registry, repository, tag: name.tag, digest: name.digest}, source)
}

function checked(
  {
    registry,
    repository,
    tag,
    digest,
  }: {registry: string; repository: string; tag: string | undefined; digest: Digest | undefined},
  source: string,
): Reference {
  if (!isRepository(repository)) {
    const why =
      repository.length > limits.repositoryLength
        ? `longer than ${limits.repositoryLength} characters`
        : 'not a valid repository name'
    throw new MirrorError(
      'NAME_INVALID',
      `${source} would become ${JSON.stringify(repository)}, which is ${why}`,
      {side: 'target'},
    )
  }
  return {
    registry,
    repository,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  }
}

/** A host as a path component. Characters that a repository name cannot have become `-` (`reg:5000` is `reg-5000`). */
function hostComponent(host: string): string {
  return host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
}
