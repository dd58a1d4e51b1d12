import {formatReference, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import type {RewriteRule} from '../../names/rewrite.js'
import {mapName, type NamingRules} from '../../names/naming.js'

export interface MappedImage {
  readonly source: Reference
  readonly target: Reference
}

/** The places where nodes find the images of the source registries. */
export interface Mapping {
  /** `host[:port]` of the private registry. */
  readonly registry: string
  readonly images: readonly MappedImage[]
  /**
   * Source hosts that are mirrored as a whole, with the path below which their repositories are; `*` is every other host.
   * Empty path: the root of the registry.
   */
  readonly bases: ReadonlyMap<string, string>
  /** The only rule between a source's repository and its path below the namespace, if there is exactly one. */
  readonly rewrite?: RewriteRule
  readonly namespace: string
}

/** Every source host for which there is no other entry. */
export const ALL_HOSTS = '*'

/**
 * The mapping of a push by the same rules.
 * @throws {MirrorError} USAGE if the rules need an image to say where a host goes, or nothing is mapped
 */
export function makeMapping(
  images: readonly MappedImage[],
  {hosts, rules}: {readonly hosts: readonly string[]; readonly rules: NamingRules},
): Mapping {
  const {registry, namespace, rewrites, map, maxDepth, mapHost} = rules
  const [rewrite] = rewrites
  const isOnlyRule = rewrites.length === 1 && map.size === 0 && maxDepth === undefined && mapHost === 'drop'
  const hasPathRules = rewrites.length > 0 || map.size > 0 || maxDepth !== undefined
  if (hosts.length > 0 && hasPathRules && !isOnlyRule) {
    throw new MirrorError('USAGE', 'the naming rules depend on each image, so --host is not enough', {
      hint: 'Name the images with --images, --source or --report.',
    })
  }
  const distinct = new Map(images.map((image) => [keyOf(image), image]))
  const moved = [...distinct.values()].filter((image) => !isUnmoved(image))
  const bases = new Map(hosts.map((host) => [host, baseOf(host, rules)]))
  if (moved.length === 0 && bases.size === 0) {
    throw new MirrorError('USAGE', 'there is nothing to mirror: no image is mapped to another name')
  }
  return {
    registry,
    images: moved,
    bases,
    namespace,
    rewrite: isOnlyRule && rewrite !== undefined ? rewrite : undefined,
  }
}

/** The path below which all images of a host go if no rule changes their paths. */
function baseOf(host: string, rules: NamingRules): string {
  if (host === ALL_HOSTS) {
    if (rules.mapHost === 'drop') return rules.namespace
    throw new MirrorError('USAGE', '--host "*" cannot be combined with --map-host keep', {
      hint: 'Name each source host with --host.',
    })
  }
  const probe = {registry: host, repository: 'x', tag: 'x'}
  const {repository} = mapName({name: probe}, {...rules, rewrites: []})
  return repository.slice(0, Math.max(0, repository.length - '/x'.length))
}

/** Pulled from the private registry by its own name: no node needs to be told. */
function isUnmoved({source, target}: MappedImage): boolean {
  return source.registry === target.registry && source.repository === target.repository
}

function keyOf({source, target}: MappedImage): string {
  return `${formatReference(source)} ${formatReference(target)}`
}
