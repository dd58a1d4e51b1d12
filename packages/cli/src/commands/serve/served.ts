import {Refusal, type Registry} from '../../server/index.js'
import type {Catalog} from './catalog.js'
import {LayeredRepository} from './layered-repository.js'

/** A page of tags, unless fewer are asked for. */
const PAGE_SIZE = 1000

/** Returns the registry that the bundles of a catalog make. */
export function served(catalog: Catalog): Registry {
  return {
    names: () => new Set(catalog.repositories.map(({registry, repository}) => `${registry}/${repository}`)),
    find: (name, registry) => {
      const layers = catalog.find(name, registry)
      return layers.length === 0 ? undefined : new LayeredRepository(layers)
    },
    open: () => {
      throw new Refusal(405, 'UNSUPPORTED', 'this registry is read-only', {headers: {allow: 'GET, HEAD'}})
    },
    uploads: new Map(),
    pageSize: PAGE_SIZE,
  }
}
