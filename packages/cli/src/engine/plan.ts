import {
  contentKey,
  formatReference,
  isBlobType,
  MirrorError,
  type Content,
  type Descriptor,
  type Digest,
  type ImageSource,
  type Manifest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {blobsOf, isNeeded, type ImageNode} from './gather.js'
import type {Pair} from './pair.js'
import {lostBlob} from './lost-blob.js'
import {sparseError, substituteFor, type SparsePolicy} from './sparse.js'
import type {TargetState} from './probe.js'

/** The transfer of content into a repository. */
export interface BlobTransfer {
  readonly kind: 'blob'
  readonly id: number
  readonly repository: string
  readonly content: Content
  /** A pending layer whose final form an earlier push has made known. */
  readonly known?: Descriptor
  /** The position in the source. */
  readonly position: number
  /** Repositories that have it already. */
  readonly mountFrom: readonly string[]
  /** A transfer of the same content into another repository: to wait for, then to mount from. */
  readonly after?: number
  /** The first image that needs it, by its place in `images`. */
  readonly image: number
  /** Which of several targets; absent: the only one. */
  readonly sink?: number
}

/** A manifest under one tag or digest, after all transfers in `needs`. */
export interface ManifestTransfer {
  readonly kind: 'manifest'
  readonly id: number
  readonly target: Reference
  readonly needs: readonly number[]
  readonly image: number
  /** The manifest's digest; absent for a pending image, whose layers are among `needs`. */
  readonly digest?: Digest
  /** The substitute for an index that is pushed with missing children, used if the registry refuses that. */
  readonly fallback?: {readonly digest: Digest; readonly reason: string}
  /** Which of several targets; absent: the only one. */
  readonly sink?: number
}

export type Transfer = BlobTransfer | ManifestTransfer

export interface PlannedImage {
  readonly source: string
  readonly target: string
  readonly status: 'planned' | 'present' | 'failed'
  /** The transfer that puts the tag (or, without a tag, the digest). */
  readonly root?: number
  readonly sourceDigest?: Digest
  readonly targetDigest?: Digest
  readonly digestChanged?: string
  readonly error?: MirrorError
  /** The answer of a target that did not say what it has under the name. */
  readonly unclear?: MirrorError
}

/** Plain data: deduplicated, children before parents. A dry run prints the same plan that a run carries out. */
export interface Plan {
  readonly images: readonly PlannedImage[]
  readonly transfers: readonly Transfer[]
}

export interface PlanInput {
  readonly pairs: readonly Pair[]
  readonly source: ImageSource
  readonly state: TargetState
  readonly sparse: SparsePolicy
  /** Manifests by digest; the planner adds those it makes. */
  readonly manifests: Map<Digest, Manifest>
}

/** Decides everything about a push before its first byte. Pure but for the manifests it adds to `manifests`. */
export function planMirror(input: PlanInput): Plan {
  const planner = new Planner(input)
  const images = input.pairs.map((pair, index) => planner.image(pair, index))
  return {images, transfers: planner.transfers}
}

class Planner {
  readonly transfers: Transfer[] = []
  readonly #byTarget = new Map<string, number>()
  readonly #byBlob = new Map<string, number>()
  readonly #complete = new Map<string, Map<ImageNode, boolean>>()
  readonly #firstOf = new Map<Digest, number>()
  readonly #input: PlanInput

  constructor(input: PlanInput) {
    this.#input = input
  }

  image(pair: Pair, index: number): PlannedImage {
    const planned = this.#image(pair, index)
    const unclear =
      pair.target === undefined ? undefined : this.#input.state.unclear.get(formatReference(pair.target))
    return unclear === undefined || planned.status !== 'planned' ? planned : {...planned, unclear}
  }

  #image(pair: Pair, index: number): PlannedImage {
    const {label: base, target, image: content} = pair
    if (target === undefined || 'error' in content) {
      const {error} = content as {error: MirrorError}
      return {...base, status: 'failed', error}
    }
    const present = this.#input.state.present.get(formatReference(target))
    try {
      if ('pending' in content) {
        const {pending} = content
        const changed = {
          digestChanged: pair.digestChanged ?? 'the bundle does not hold the image’s manifest',
        }
        if (present !== undefined)
          return {...base, ...changed, status: 'present', targetDigest: present.digest}
        const needs = [pending.config, ...pending.layers]
          .filter((content) => isNeeded(content, this.#input.source))
          .map((content) => this.#blob(target.repository, content, index))
        return {...base, ...changed, status: 'planned', root: this.#put({target, needs, image: index})}
      }
      return {
        ...base,
        ...this.#tree(content.node, {target, index, present, changed: pair.digestChanged}),
      }
    } catch (error) {
      if (error instanceof MirrorError) return {...base, status: 'failed', error}
      throw error
    }
  }

  #tree(
    node: ImageNode,
    at: {target: Reference; index: number; present: Descriptor | undefined; changed: string | undefined},
  ): Omit<PlannedImage, 'source' | 'target'> {
    const {target, index, present} = at
    const {digest: ownDigest} = node.manifest.descriptor
    // If the bundle holds another digest than its source had, the source's is not known any more.
    const origin = at.changed === undefined ? {sourceDigest: ownDigest} : {digestChanged: at.changed}
    const {sparse, state} = this.#input
    const isTagged = present?.digest === ownDigest
    if (isTagged && !state.lacks(target.repository, ownDigest))
      return {...origin, status: 'present', targetDigest: present.digest}
    const complete = this.#completeChildren(node, target.repository)
    const lacking = this.#lacking(node, complete, target.repository)
    const isSparse = lacking.length > 0
    if (isSparse && sparse === 'strict') throw sparseError(lacking)
    const substitute =
      isSparse && complete.length > 0 && (sparse === 'auto' || sparse === 'prune' || sparse === 'platform')
        ? substituteFor(
            node.manifest,
            complete.map((child) => child.manifest),
            sparse,
          )
        : undefined
    if (substitute !== undefined) this.#remember(substitute.manifest)
    const isWhole = complete.every(
      (child) => !state.lacks(target.repository, child.manifest.descriptor.digest),
    )
    if (isWhole && present !== undefined && present.digest === substitute?.manifest.descriptor.digest) {
      return {...origin, digestChanged: substitute.reason, status: 'present', targetDigest: present.digest}
    }
    const children = complete.map((child) => this.#manifest(child, target.repository, index))
    if (substitute !== undefined && sparse !== 'auto') {
      const {digest} = substitute.manifest.descriptor
      const {digest: _pinned, ...tagged} = target
      const root = this.#put({
        target: target.tag === undefined ? {...tagged, digest} : tagged,
        needs: children,
        image: index,
        digest,
      })
      return {...origin, digestChanged: substitute.reason, status: 'planned', root, targetDigest: digest}
    }
    this.#remember(node.manifest)
    const needs = [...children, ...this.#blobs(node, target.repository, index)]
    const fallback =
      substitute === undefined
        ? undefined
        : {digest: substitute.manifest.descriptor.digest, reason: substitute.reason}
    const {registry, repository} = target
    const root = this.#put({
      // The tag is right already. A registry with immutable tags would refuse to set it again.
      target: isTagged && fallback === undefined ? {registry, repository, digest: ownDigest} : target,
      needs,
      image: index,
      digest: ownDigest,
      fallback,
    })
    return {...origin, status: 'planned', root, targetDigest: ownDigest}
  }

  /** A manifest by its digest, with everything below it. */
  #manifest(node: ImageNode, repository: string, image: number): number {
    const {digest} = node.manifest.descriptor
    this.#remember(node.manifest)
    const known = this.#byTarget.get(`${repository}@${digest}`)
    if (known !== undefined) return known
    const children = this.#completeChildren(node, repository)
    const needs = [
      ...children.map((child) => this.#manifest(child, repository, image)),
      ...this.#blobs(node, repository, image),
    ]
    const {registry} = this.#input.state
    return this.#put({target: {registry, repository, digest}, needs, image, digest})
  }

  #put(transfer: Omit<ManifestTransfer, 'kind' | 'id'>): number {
    const {repository, tag, digest} = transfer.target
    const key = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`
    const known = this.#byTarget.get(key)
    if (known !== undefined) return known
    const id = this.transfers.length
    this.transfers.push({kind: 'manifest', id, ...transfer})
    this.#byTarget.set(key, id)
    return id
  }

  #blobs(node: ImageNode, repository: string, image: number): readonly number[] {
    const {source, state} = this.#input
    const lost = node.missing.find((blob) => !state.has(repository, blob.digest))
    if (lost !== undefined) throw lostBlob(lost, {source, repository})
    const blobs = blobsOf(node.manifest, source).filter((blob) => source.has(blob))
    // A descriptor that lies about a size is found before anything of its image is planned.
    for (const blob of blobs) source.blob(blob)
    return blobs.map((blob) => this.#blob(repository, blob, image))
  }

  #blob(repository: string, content: Content, image: number): number {
    const key = contentKey(content)
    const known = this.#byBlob.get(`${repository}@${key}`)
    if (known !== undefined) return known
    const {source, state} = this.#input
    const id = this.transfers.length
    const after = this.#firstOf.get(key)
    const finished = state.known.get(key)
    this.transfers.push({
      kind: 'blob',
      id,
      repository,
      content,
      position: source.blob(content).position ?? 0,
      mountFrom: finished?.repositories.filter((other) => other !== repository) ?? [],
      image,
      after,
      known: 'diffId' in content ? finished?.descriptor : undefined,
    })
    this.#byBlob.set(`${repository}@${key}`, id)
    if (after === undefined) this.#firstOf.set(key, id)
    return id
  }

  #completeChildren(node: ImageNode, repository: string): readonly ImageNode[] {
    const known = this.#complete.get(repository) ?? new Map<ImageNode, boolean>()
    this.#complete.set(repository, known)
    const isComplete = (child: ImageNode): boolean => {
      const before = known.get(child)
      if (before !== undefined) return before
      const missing = child.missing.some((blob) => !this.#input.state.has(repository, blob.digest))
      const complete = !missing && child.children.every(isComplete)
      known.set(child, complete)
      return complete
    }
    return node.children.filter(isComplete)
  }

  /** Children of an index that neither the source can give nor the repository has. */
  #lacking(node: ImageNode, complete: readonly ImageNode[], repository: string): readonly Descriptor[] {
    if (node.manifest.kind !== 'index') return []
    const there = new Set(complete.map((child) => child.manifest.descriptor.digest))
    return node.manifest.children.filter(
      (child) =>
        !there.has(child.digest) &&
        !this.#input.state.has(repository, child.digest) &&
        !(isBlobType(child.mediaType) && this.#input.source.has(child)),
    )
  }

  #remember(manifest: Manifest): void {
    this.#input.manifests.set(manifest.descriptor.digest, manifest)
  }
}
