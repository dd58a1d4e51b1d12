import {textOf, valueAt} from '../yaml/yaml-node.js'
import type {Scope} from './edit-registries.js'
import {ofKind, textsAt, type Manifest} from './manifests.js'

/** The part of `image.config.openshift.io/cluster` that reaches nodes. */
export interface ImageConfig {
  readonly insecure: readonly Scope[]
  readonly blocked: readonly Scope[]
  readonly allowed: readonly Scope[]
  /** Replaces the search registries of the system, if it is not empty. */
  readonly search: readonly Scope[]
  /** The name of a ConfigMap in openshift-config. */
  readonly trustedCa?: string
}

/** The object named `cluster`; an empty one if there is none, which every cluster has. */
export function imageConfigOf(manifests: readonly Manifest[]): ImageConfig | undefined {
  const found = ofKind(manifests, 'Image').find(({name}) => name === 'cluster' || name === '')
  if (found === undefined) return undefined
  const list = (key: string): readonly Scope[] => textsAt(found, ['spec', 'registrySources', key])
  const trustedCa = textOf(valueAt(found.node, 'spec', 'additionalTrustedCA', 'name'))
  return {
    insecure: list('insecureRegistries'),
    blocked: list('blockedRegistries'),
    allowed: list('allowedRegistries'),
    search: list('containerRuntimeSearchRegistries'),
    trustedCa,
  }
}

const CERTIFICATES = '/etc/docker/certs.d'

/** The file on a node with the CA for each `host[:port]` of the ConfigMap. Its keys write the colon as `..`. */
export function trustedHosts(
  manifests: readonly Manifest[],
  {trustedCa}: {readonly trustedCa?: string},
): ReadonlyMap<string, string> {
  if (trustedCa === undefined) return new Map()
  const maps = ofKind(manifests, 'ConfigMap').filter(({name}) => name === trustedCa)
  const map = maps.find(({namespace}) => namespace === 'openshift-config') ?? maps[0]
  const data = valueAt(map?.node, 'data')
  const keys = data?.kind === 'map' ? [...data.entries.keys()] : []
  return new Map(
    keys.map((key) => {
      const host = key.replaceAll('..', ':')
      return [host, `${CERTIFICATES}/${host}/ca.crt`]
    }),
  )
}
