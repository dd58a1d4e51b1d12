import {byBytes, type NodeFiles} from './node-files.js'

/** Files that exist only here, by their paths on a node. */
export function memoryFiles(contents: ReadonlyMap<string, string>): NodeFiles {
  const paths = [...contents.keys()].sort(byBytes)
  return {
    paths,
    warnings: [],
    text: (path) => contents.get(path),
    isDirectory: (path) => paths.some((file) => file.startsWith(path.endsWith('/') ? path : `${path}/`)),
  }
}
