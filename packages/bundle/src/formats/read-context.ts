import type {LayerCompression} from '../compress/compress.js'
import type {ContentTable} from '../contents/content-table.js'

/** What a format reader gets besides the tree: it adds to `table` and returns its images. */
export interface ReadContext {
  readonly table: ContentTable
  readonly signal?: AbortSignal | undefined
  readonly compression: LayerCompression
  /** The media type that plain layers get. */
  readonly layerMediaType: string
  /** The archive or directory, as a hint for images without a name. */
  readonly hint: string
  /** Whether the tree is a part of something bigger, so that a bare tag alone would not tell images apart. */
  readonly nested: boolean
  /** Whether the tree is the `images` directory of a zarf package. */
  readonly zarf?: boolean | undefined
}

/** What a user is told of an image whose bundle knows no more than a tag, or not even that. */
export function unnamedHint(context: ReadContext, tag: string | undefined): string {
  if (tag === undefined) return context.hint
  return context.nested ? `${context.hint} (${tag})` : tag
}
