import type {LayerCompression} from '../compress/compress.js'
import type {ContentTable} from '../contents/content-table.js'

/** Input of a format reader besides the tree: the reader adds to `table` and returns its images. */
export interface ReadContext {
  readonly table: ContentTable
  readonly signal?: AbortSignal
  readonly compression: LayerCompression
  /** The media type for plain layers. */
  readonly layerMediaType: string
  /** The archive or directory, shown instead of the name of an image that has none. */
  readonly shownAs: string
  /** True if the tree is a part of something bigger, so that a bare tag would not distinguish images. */
  readonly nested: boolean
  /** True if the tree is the `images` directory of a zarf package. */
  readonly zarf?: boolean
}

/** Returns the text that stands for an image whose bundle records at most a tag. */
export function unnamedHint(context: ReadContext, tag: string | undefined): string {
  if (tag === undefined) return context.shownAs
  return context.nested ? `${context.shownAs} (${tag})` : tag
}
