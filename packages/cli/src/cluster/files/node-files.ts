/** The files of a node. Paths are absolute as on the node, with `/`. */
export interface NodeFiles {
  /** All files, sorted by bytes. Directories of programs, such as /usr, are left out. */
  readonly paths: readonly string[]
  /** Links and files that were not read, in sentences. */
  readonly warnings: readonly string[]
  /** Assumptions made while reading them, in sentences. */
  readonly assumed?: readonly string[]
  /**
   * The content; absent if there is no such file.
   * @throws {MirrorError} CONFIG_INVALID if it cannot be read, LIMIT_EXCEEDED
   */
  text(path: string): string | undefined
  isDirectory(path: string): boolean
}

/** Names of the files directly in a directory, sorted by bytes. */
export function fileNamesIn(files: NodeFiles, directory: string): readonly string[] {
  const start = directory.endsWith('/') ? directory : `${directory}/`
  return files.paths
    .filter((path) => path.startsWith(start) && !path.slice(start.length).includes('/'))
    .map((path) => path.slice(start.length))
}

export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}
