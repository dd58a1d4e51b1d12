import type {Place} from '@airgap-mirror/oci-client/model'
import {Refusal, type Registry} from '../../server/index.js'
import type {Catalog} from './content/catalog.js'
import {LayeredRepository} from './content/layered-repository.js'
import type {Writable} from './writable/open-writable.js'

/** A page of tags, unless fewer are asked for. */
const PAGE_SIZE = 1000

/** No client takes a colon in the name of a repository, so a registry with a port is left out. */
function listedAs({registry, repository}: Place): string {
  return registry.includes(':') ? repository : `${registry}/${repository}`
}

/** Returns the registry of bundles and of a layout that takes pushes, which is read first. */
export function served(catalog: Catalog, writable: Writable | undefined): Registry {
  return {
    names: () => new Set([...(writable?.repositories ?? []), ...catalog.repositories].map(listedAs)),
    find: (name, registry) => {
      const layers = [...(writable?.find(name, registry) ?? []), ...catalog.find(name, registry)]
      return layers.length === 0 ? undefined : new LayeredRepository(layers)
    },
    open: (name) => {
      if (writable !== undefined) return writable.open(name)
      throw new Refusal(405, 'UNSUPPORTED', 'this registry is read-only', {headers: {allow: 'GET, HEAD'}})
    },
    uploads: writable?.uploads ?? new Map(),
    pageSize: PAGE_SIZE,
  }
}
