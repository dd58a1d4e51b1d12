import {formatReference, MirrorError} from '@airgap-mirror/oci-client/model'
import {referenceKey, type NamingRules} from '../names/naming.js'
import {parseRegistryTarget} from '../names/registry-target.js'
import type {Job, JobTarget, WantedImage} from './job.js'

/**
 * Returns the targets of a job: the place `--private-registry` names, by the job's own rules, or else its own targets.
 * @throws {MirrorError} USAGE if there is neither
 */
export function targetsOf(
  {name, naming, targets}: Pick<Job, 'name' | 'naming' | 'targets'>,
  privateRegistry: string | undefined,
): readonly JobTarget[] {
  if (privateRegistry !== undefined) {
    const {registry, namespace} = parseRegistryTarget(privateRegistry)
    const whole = [namespace, naming.namespace].filter(Boolean).join('/')
    return [{text: privateRegistry, registry, namespace: whole, naming}]
  }
  if (targets.length > 0) return targets
  throw new MirrorError('USAGE', `the job ${JSON.stringify(name)} has no targets`, {
    advice: {kind: 'give-targets'},
  })
}

/**
 * The naming rules of a target.
 * @param options.images what is wanted: the targets that lists and repositories give are beneath the job's own maps
 * @param options.mapFile the content of `target.naming.mapFile`
 * @throws {MirrorError} LIST_INVALID for an image that is given two targets
 */
export function namingFor(
  {registry, namespace, naming}: JobTarget,
  {
    images,
    mapFile = new Map(),
  }: {readonly images: readonly WantedImage[]; readonly mapFile?: ReadonlyMap<string, string>},
): NamingRules {
  return {
    registry,
    namespace,
    mapHost: naming.mapHost ?? 'drop',
    rewrites: naming.rewrites ?? [],
    map: new Map([...givenTargets(images), ...mapFile, ...(naming.map ?? [])]),
    maxDepth: naming.maxDepth,
  }
}

function givenTargets(images: readonly WantedImage[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (const {source, target} of images) {
    if (target === undefined) continue
    const key = referenceKey(source)
    const other = given.get(key)
    if (other !== undefined && other !== target) {
      throw new MirrorError(
        'LIST_INVALID',
        `${formatReference(source)} is given two targets: ${other} and ${target}`,
        {hint: 'Put one of them into a job of its own.'},
      )
    }
    given.set(key, target)
  }
  return given
}
