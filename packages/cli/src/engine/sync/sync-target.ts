import {
  formatReference,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSink,
  type ImageSource,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {KnownTags} from '../known-tags.js'
import type {NamingRules} from '../../names/naming.js'

/** Of an index's children those that are wanted. */
export type ChosenChildren = (children: readonly Descriptor[]) => ReadonlySet<Digest>

/** What sync asks of a source besides what every source can do. */
export interface SyncSource extends ImageSource {
  /** What is under these names now, in their order; one that cannot be had has an error for its root. */
  imagesAt(references: readonly Reference[], options?: CallOptions): Promise<readonly SourceImage[]>
  /** What speaks of an image, and of the children of its index that are chosen: signatures, attestations, SBOMs. */
  referrersOf(
    image: SourceImage,
    options?: CallOptions & {readonly chosen?: ChosenChildren | undefined},
  ): Promise<readonly SourceImage[]>
}

interface RemoveOptions extends CallOptions {
  /** What the tag has to point at still. */
  readonly digest: Digest
  /** Whether another tag of the same manifest may go with it. */
  readonly mayGo: (tag: string) => boolean
  /** Whether the manifest is wanted by its digest. */
  readonly isUsedByDigest: boolean
}

/** What became of a tag that was to be removed. */
type Removal =
  | {readonly status: 'deleted'}
  | {readonly status: 'gone'}
  /** It points at something else now. */
  | {readonly status: 'changed'; readonly digest: Digest}
  /** The registry can only delete its whole manifest, which is still used. */
  | {readonly status: 'shared'; readonly by: string}

/** One place that images are kept at. */
export interface SyncTarget {
  readonly sink: ImageSink
  readonly rules: NamingRules
  /** Whose the tags are that are put here, in what is remembered. */
  readonly owner: string
  /** What earlier runs have put into its registry; absent where nothing is remembered. */
  readonly tags: KnownTags | undefined
}

/** One registry that images are kept in: several targets may be in one. */
export interface SyncRegistry {
  readonly tags: KnownTags | undefined
  readonly removeTag: (target: Reference, options: RemoveOptions) => Promise<Removal>
}

/** The key of a target's name in what is remembered: without the registry. */
export function tagKey({registry, ...name}: Reference): string {
  return formatReference({registry, ...withoutPin(name)}).slice(registry.length + 1)
}

/** A tag stands for itself, whatever digest was asked for with it. */
function withoutPin({repository, tag, digest}: Omit<Reference, 'registry'>): Omit<Reference, 'registry'> {
  return {
    repository,
    ...(tag === undefined ? {} : {tag}),
    ...(tag !== undefined || digest === undefined ? {} : {digest}),
  }
}
