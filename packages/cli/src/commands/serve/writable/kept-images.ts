import type {NameChange, NamedImage} from '@airgap-mirror/bundle/internal'
import type {Descriptor, Digest, Manifest, Place, Reference} from '@airgap-mirror/oci-client/model'

/** The part of a manifest that is kept in memory. */
interface KeptManifest {
  readonly descriptor: Descriptor
  readonly subject: Digest | undefined
  /** The manifests that an index lists, present or not. */
  readonly children: readonly Digest[]
}

/** A change of names in a layout, and the way back if it cannot be written. */
export interface Step extends NameChange {
  readonly undo: () => void
}

/**
 * The tags and manifests of one repository of a layout. Each step tells the names by which everything is found again after a
 * restart: a tag, or a digest for a manifest that neither a tag nor an index leads to.
 */
export class KeptImages {
  readonly place: Place
  readonly #tags = new Map<string, Digest>()
  readonly #manifests = new Map<Digest, KeptManifest>()
  /** The number of kept indexes that list a manifest. */
  readonly #parents = new Map<Digest, number>()

  constructor(place: Place) {
    this.place = place
  }

  get tags(): ReadonlyMap<string, Digest> {
    return this.#tags
  }

  get manifests(): ReadonlyMap<Digest, KeptManifest> {
    return this.#manifests
  }

  put(manifest: Manifest, tag: string | undefined): Step {
    const {descriptor, subject} = manifest
    const {digest} = descriptor
    const known = this.#manifests.get(digest)
    const before = tag === undefined ? undefined : this.#tags.get(tag)
    const children = manifest.kind === 'index' ? manifest.children.map((child) => child.digest) : []
    const kept = {descriptor, subject: subject?.digest, children}
    this.#setManifest(digest, kept)
    if (tag !== undefined) this.#tags.set(tag, digest)
    const left = before === undefined ? [] : this.#byDigest(before)
    return {
      add: [...(tag === undefined ? this.#byDigest(digest) : [this.#named({tag}, descriptor)]), ...left],
      remove: [...children, ...(tag === undefined ? [] : [digest])].map((gone) => this.#name({digest: gone})),
      undo: () => {
        if (this.#manifests.get(digest) === kept) this.#setManifest(digest, known)
        if (tag !== undefined && this.#tags.get(tag) === digest) this.#setTag(tag, before)
      },
    }
  }

  /** Undefined if there is no such tag. The manifest stays, by its digest. */
  dropTag(tag: string): Step | undefined {
    const digest = this.#tags.get(tag)
    if (digest === undefined) return undefined
    this.#tags.delete(tag)
    return {
      add: this.#byDigest(digest),
      remove: [this.#name({tag})],
      undo: () => this.#setTag(tag, digest),
    }
  }

  /** Undefined if there is no such manifest. Its tags go with it, and the manifests that an index lists stay. */
  dropManifest(digest: Digest): Step | undefined {
    const known = this.#manifests.get(digest)
    if (known === undefined) return undefined
    const tags = [...this.#tags].filter(([, target]) => target === digest).map(([tag]) => tag)
    this.#setManifest(digest, undefined)
    for (const tag of tags) this.#tags.delete(tag)
    return {
      add: known.children.flatMap((child) => this.#byDigest(child)),
      remove: [this.#name({digest}), ...tags.map((tag) => this.#name({tag}))],
      undo: () => {
        this.#setManifest(digest, known)
        for (const tag of tags) this.#tags.set(tag, digest)
      },
    }
  }

  /** The name of a manifest that nothing else leads to. */
  #byDigest(digest: Digest): readonly NamedImage[] {
    const known = this.#manifests.get(digest)
    const isFound = this.#parents.has(digest) || [...this.#tags.values()].includes(digest)
    return known === undefined || isFound ? [] : [this.#named({digest}, known.descriptor)]
  }

  #named(key: {readonly tag?: string; readonly digest?: Digest}, descriptor: Descriptor): NamedImage {
    return {name: this.#name(key), descriptor}
  }

  #name(key: {readonly tag?: string; readonly digest?: Digest}): Reference {
    return {...this.place, ...key}
  }

  #setManifest(digest: Digest, manifest: KeptManifest | undefined): void {
    for (const child of new Set(this.#manifests.get(digest)?.children)) this.#countParents(child, -1)
    if (manifest === undefined) this.#manifests.delete(digest)
    else this.#manifests.set(digest, manifest)
    for (const child of new Set(manifest?.children)) this.#countParents(child, 1)
  }

  #countParents(child: Digest, change: 1 | -1): void {
    const parents = (this.#parents.get(child) ?? 0) + change
    if (parents === 0) this.#parents.delete(child)
    else this.#parents.set(child, parents)
  }

  #setTag(tag: string, digest: Digest | undefined): void {
    if (digest === undefined) this.#tags.delete(tag)
    else this.#tags.set(tag, digest)
  }
}
