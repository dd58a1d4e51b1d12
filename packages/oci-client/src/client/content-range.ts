/**
 * The part of the content in an answer, in bytes; `end` is exclusive. `total` is absent if the server does not tell it.
 */
export interface ContentRange {
  readonly start: number
  readonly end: number
  readonly total: number | undefined
}

const RANGE = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i

/** Parses `bytes 0-99/100` (RFC 9110, 14.4); undefined if it is invalid. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const [, first, last, whole] = RANGE.exec(text?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || whole === undefined) return undefined
  const start = Number(first)
  const end = Number(last) + 1
  const total = whole === '*' ? undefined : Number(whole)
  if (end <= start || !Number.isSafeInteger(end) || (total !== undefined && end > total)) return undefined
  return {start, end, total}
}
