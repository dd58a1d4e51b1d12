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

/** Returns the children of an index that are wanted. */
export type ChosenChildren = (children: readonly Descriptor[]) => ReadonlySet<Digest>

/** A source that can also find images by reference and list referrers. */
export interface SyncSource extends ImageSource {
  /** Resolves to the images the references name now, in order. An unreadable image has an error as its root. */
  imagesAt(references: readonly Reference[], options?: CallOptions): Promise<readonly SourceImage[]>
  /** Resolves to the referrers of the image and of the chosen children of its index. */
  referrersOf(
    image: SourceImage,
    options?: CallOptions & {readonly chosen?: ChosenChildren},
  ): Promise<readonly SourceImage[]>
}

interface RemoveOptions extends CallOptions {
  /** The digest that the tag must still have. */
  readonly digest: Digest
  /** Returns true if another tag of the same manifest may be deleted with it. */
  readonly mayGo: (tag: string) => boolean
  /** True if the manifest is wanted by its digest. */
  readonly isUsedByDigest: boolean
}

/** The result of deleting a tag. */
type Removal =
  | {readonly status: 'deleted'}
  | {readonly status: 'gone'}
  /** It points at something else now. */
  | {readonly status: 'changed'; readonly digest: Digest}
  /** The registry can only delete its whole manifest, which is still used. */
  | {readonly status: 'shared'; readonly by: string}

/** A target of a job: a sink with naming rules, an owner and saved tags. */
export interface SyncTarget {
  readonly sink: ImageSink
  readonly rules: NamingRules
  /** The owner of the tags put here, in the saved state. */
  readonly owner: string
  /** The saved tags of its registry; absent without saved state. */
  readonly tags: KnownTags | undefined
}

/** A registry that has one or several targets. */
export interface SyncRegistry {
  readonly tags: KnownTags | undefined
  readonly removeTag: (target: Reference, options: RemoveOptions) => Promise<Removal>
}

/** The key of a target's name in the saved state: the name without the registry. */
export function tagKey({registry, ...name}: Reference): string {
  return formatReference({registry, ...withoutPin(name)}).slice(registry.length + 1)
}

/** A tag stands for itself; a digest that was asked for with it does not count. */
function withoutPin({repository, tag, digest}: Omit<Reference, 'registry'>): Omit<Reference, 'registry'> {
  return {
    repository,
    tag,
    digest: tag === undefined ? digest : undefined,
  }
}
