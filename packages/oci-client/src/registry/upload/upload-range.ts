const RANGE = /^(?:bytes[= ])?0-([0-9]{1,15})$/

/**
 * Bytes an upload session holds, from its `Range` header; undefined where it is missing or nonsense. `0-0` is what
 * distribution says of an empty session and what a single byte looks like: it counts as none, and whoever cannot be sure
 * starts again.
 */
export function receivedBytes(range: string | undefined): number | undefined {
  const last = RANGE.exec(range?.trim() ?? '')?.[1]
  if (last === undefined) return undefined
  return last === '0' ? 0 : Number(last) + 1
}

/** `a-b`, both inclusive, without the `bytes ` that HTTP has elsewhere (distribution-spec, Pushing a blob in chunks). */
export function contentRange(offset: number, length: number): string {
  return `${offset}-${offset + length - 1}`
}
