/** One member of an archive. Paths are relative and clean: no leading `./` or `/`, no `..`, no empty components. */
export interface TarEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink'
  /** Where the content starts in the byte source, and its length in bytes. */
  readonly offset: number
  readonly size: number
  /** As written, for links. */
  readonly linkPath?: string
  /** The content, for small JSON members of sources that are costly to read twice. */
  readonly captured?: Uint8Array
}
