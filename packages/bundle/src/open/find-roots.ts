import {limits} from '@airgap-mirror/oci-client/model'
import {subTree, type FileTree} from '../files/file-tree.js'

const MARKERS: ReadonlySet<string> = new Set(['index.json', 'manifest.json'])

export interface Subdirectory {
  readonly path: string
  readonly tree: FileTree
}

/**
 * Returns the directories of a tree that may be an image layout, outer before inner: the only directory that was packed,
 * one for each image, or zarf's `images`. Directories deeper than `limits.layoutDepth` are left out.
 */
export function findRoots(tree: FileTree): readonly Subdirectory[] {
  const sorted = [...tree.entries].sort((left, right) => (left.path < right.path ? -1 : 1))
  const paths = sorted.map(({path}) => path)
  const directories = new Set<string>()
  for (const {path, kind} of sorted) {
    const slash = path.lastIndexOf('/')
    if (slash <= 0 || kind === 'directory' || !MARKERS.has(path.slice(slash + 1))) continue
    const directory = path.slice(0, slash)
    if (directory.split('/', limits.layoutDepth + 1).length <= limits.layoutDepth) directories.add(directory)
  }
  return [...directories]
    .sort((left, right) => left.length - right.length || (left < right ? -1 : 1))
    .map((path) => {
      const inside = sorted.slice(firstAtLeast(paths, `${path}/`), firstAtLeast(paths, `${path}0`))
      return {path, tree: subTree(tree, path, inside)}
    })
}

// `0` follows `/` in every encoding, so all paths below a directory lie between the two.
function firstAtLeast(sorted: readonly string[], bound: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < bound) low = middle + 1
    else high = middle
  }
  return low
}
