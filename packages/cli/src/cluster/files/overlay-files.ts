import {byBytes, type NodeFiles} from './node-files.js'

/** The files of a node with some more, which hide those of the same path. */
export function overlayFiles(files: NodeFiles, added: ReadonlyMap<string, string>): NodeFiles {
  return {
    paths: [...new Set([...files.paths, ...added.keys()])].sort(byBytes),
    warnings: files.warnings,
    text: (path) => added.get(path) ?? files.text(path),
    isDirectory: (path) =>
      files.isDirectory(path) || [...added.keys()].some((one) => one.startsWith(`${path}/`)),
  }
}
