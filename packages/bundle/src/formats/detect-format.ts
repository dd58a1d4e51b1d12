import {MirrorError} from '@airgap-mirror/oci-client/model'
import {whyMissing, type FileTree} from '../files/file-tree.js'
import type {Format, TreeRoot} from './format.js'
import {FORMATS} from './formats.js'
import {imgpkg} from './imgpkg.js'
import {ociLayout} from './oci-layout.js'
import {skopeoDir} from './skopeo-dir.js'

/**
 * Returns the formats of the images at the root of a tree: none, one, or a layout and one that does not know of it.
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (manifest.json), SOURCE_CORRUPT (links)
 */
export async function detectFormats(root: TreeRoot): Promise<readonly Format[]> {
  refuseDeadLinks(root.tree)
  const found: Format[] = []
  for (const format of FORMATS) if (await format.detect(root)) found.push(format)
  return found.filter(
    (format, index) => index === 0 || (found[0] === ociLayout && isBesideLayout(format, root)),
  )
}

// docker's manifest.json beside a layout is about that layout, and the reader of layouts reads it.
function isBesideLayout(format: Format, {tree}: TreeRoot): boolean {
  return format === imgpkg || (format === skopeoDir && tree.find('version') !== undefined)
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
