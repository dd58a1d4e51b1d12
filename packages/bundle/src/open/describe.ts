import type {BundlePart, Findings} from './reading.js'
import type {BundleDescription, OuterEntry} from '../contents/archive-source.js'
import type {ContentTable} from '../contents/content-table.js'
import type {FileTree} from '../files/file-tree.js'

/** The most outermost entries that are described. */
const DESCRIBED = 200

/** The form in which the bundle is stored. */
export type StoredAs = Pick<BundleDescription, 'kind' | 'size' | 'plainSize' | 'volumes' | 'packing'>

/** Returns the formats found in a bundle, and their places. */
export function describe(
  {
    tree,
    parts,
    storedAs,
  }: {
    readonly tree: FileTree
    readonly parts: readonly BundlePart[]
    readonly storedAs: StoredAs
  },
  {findings: {kinds}, table}: {readonly findings: Findings; readonly table: ContentTable},
): Omit<BundleDescription, 'refusal'> {
  return {
    ...storedAs,
    format: formatOf(parts),
    parts: parts.map(({path, format, producer, images}) => ({path, format, producer, images: images.length})),
    outerEntries: tree.entries.slice(0, DESCRIBED).map(({path, kind, size}): OuterEntry => {
      const sniffed = kinds.get(path) ?? 'other'
      return {path, size, kind: kind === 'file' && sniffed !== 'other' ? sniffed : kind}
    }),
    outerEntryCount: tree.entries.length,
    leftOut: [...table.leftOut.values()],
  }
}

function formatOf([first, ...others]: readonly BundlePart[]): string {
  if (first === undefined) return 'unknown'
  return others.length === 0 && first.path === '' ? first.format : 'nested'
}
