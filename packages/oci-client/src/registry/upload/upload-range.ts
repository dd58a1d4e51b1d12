const RANGE = /^(?:bytes[= ])?0-([0-9]{1,15})$/

/**
 * Returns the bytes that an upload session holds, from its `Range` header; undefined if missing or invalid.
 * `0-0` counts as none: distribution sends it for an empty session, and it looks like a single byte.
 */
export function receivedBytes(range: string | undefined): number | undefined {
  const last = RANGE.exec(range?.trim() ?? '')?.[1]
  if (last === undefined) return undefined
  return last === '0' ? 0 : Number(last) + 1
}

/** Returns `a-b`, both inclusive, without HTTP's usual `bytes ` (distribution-spec, Pushing a blob in chunks). */
export function contentRange(offset: number, length: number): string {
  return `${offset}-${offset + length - 1}`
}
