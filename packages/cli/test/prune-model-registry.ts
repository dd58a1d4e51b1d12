import type {Digest} from '@airgap-mirror/oci-client/model'
import type {SyncRegistry} from '#src/engine/sync/sync-target.js'

/** The tags and manifests of a registry, which deletes as one or the other kind does. */
export class ModelRegistry {
  /** By `repository:tag`. */
  readonly tags = new Map<string, Digest>()
  /** `repository digest`. */
  readonly #manifests = new Set<string>()
  readonly #byDigest: boolean

  constructor(deletion: 'on' | 'by-digest') {
    this.#byDigest = deletion === 'by-digest'
  }

  put(key: string, digest: Digest): void {
    this.#manifests.add(`${repositoryOf(key)} ${digest}`)
    if (!key.includes('@')) this.tags.set(key, digest)
  }

  /** The content of `repository@digest`, if it is there. */
  digestOf(key: string): Digest | undefined {
    const [repository, digest] = key.split('@')
    return this.#manifests.has(`${repository} ${digest}`) ? (digest as Digest) : undefined
  }

  readonly removeTag: SyncRegistry['removeTag'] = ({repository, tag}, {digest, mayGo, isUsedByDigest}) => {
    const key = `${repository}:${tag}`
    const found = this.tags.get(key)
    if (found === undefined) return Promise.resolve({status: 'gone'})
    if (found !== digest) return Promise.resolve({status: 'changed', digest: found})
    if (!this.#byDigest) {
      this.tags.delete(key)
      return Promise.resolve({status: 'deleted'})
    }
    if (isUsedByDigest) return Promise.resolve({status: 'shared', by: digest})
    const same = [...this.tags].flatMap(([other, at]) =>
      repositoryOf(other) === repository && at === digest ? [other] : [],
    )
    const needs = same.find((other) => other !== key && !mayGo(other.slice(repository.length + 1)))
    if (needs !== undefined) return Promise.resolve({status: 'shared', by: needs})
    for (const other of same) this.tags.delete(other)
    this.#manifests.delete(`${repository} ${digest}`)
    return Promise.resolve({status: 'deleted'})
  }
}

/** Names as `repository:tag` and `repository@digest`. */
export function repositoryOf(key: string): string {
  return key.replace(/[:@].*$/, '')
}
