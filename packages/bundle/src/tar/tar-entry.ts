/** Stored bytes of a sparse file. All in bytes: `at` in the file, `offset` in the byte source. */
export interface Segment {
  readonly at: number
  readonly offset: number
  readonly length: number
}

/** A member of an archive. Paths are relative and clean: no leading `./` or `/`, no `..`, no empty components. */
export interface TarEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink'
  /** The offset of the content in the byte source, and its length in bytes. */
  readonly offset: number
  readonly size: number
  /** The link's target as written. */
  readonly linkPath?: string
  /** The stored parts of a sparse file, ascending; the rest of its `size` is zeros. */
  readonly segments?: readonly Segment[]
  /** The content, for small JSON members of sources that are costly to read twice. */
  readonly captured?: Uint8Array
}

/** Returns the end of a member's stored content in the byte source. */
export function endOf({offset, size, segments}: TarEntry): number {
  if (segments === undefined) return offset + size
  const last = segments.at(-1)
  return last === undefined ? offset : last.offset + last.length
}
