import {MirrorError} from '@airgap-mirror/oci-client/model'
import {whyMissing, type FileTree} from '../files/file-tree.js'
import type {Format, TreeRoot} from './format.js'
import {FORMATS} from './formats.js'

/**
 * Returns the format of the images at the root of a tree; undefined if it has none there.
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (manifest.json), SOURCE_CORRUPT (links)
 */
export async function detectFormat(root: TreeRoot): Promise<Format | undefined> {
  refuseDeadLinks(root.tree)
  for (const format of FORMATS) if (await format.detect(root)) return format
  return undefined
}

const MARKERS = ['oci-layout', 'index.json', 'manifest.json'] as const

function refuseDeadLinks(tree: FileTree): void {
  for (const path of MARKERS) {
    if (tree.find(path) === undefined && tree.isLink(path)) {
      throw new MirrorError('SOURCE_CORRUPT', `${tree.name}: ${path} ${whyMissing(tree, path)}`, {
        side: 'source',
        advice: {kind: 'make-again'},
      })
    }
  }
}
