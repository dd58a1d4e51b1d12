import type {ActiveBlob} from './fold.js'

export type BlobRows = readonly (string | undefined)[]

/**
 * Returns the blob in each row. A blob keeps its row while it is in flight, so that nothing jumps. The next blob takes the
 * first free row. Beyond `most` rows, blobs wait unseen.
 * @param rows the keys in the rows so far
 */
export function assignRows(
  rows: BlobRows,
  active: ReadonlyMap<string, ActiveBlob>,
  {most}: {readonly most: number},
): BlobRows {
  const kept = rows.slice(0, most).map((key) => (key !== undefined && active.has(key) ? key : undefined))
  const shown = new Set(kept)
  for (const key of active.keys()) {
    if (shown.has(key)) continue
    const free = kept.indexOf(undefined)
    if (free >= 0) kept[free] = key
    else if (kept.length < most) kept.push(key)
    else break
  }
  return kept
}
