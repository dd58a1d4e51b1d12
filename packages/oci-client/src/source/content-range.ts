/** What part of a whole an answer holds, in bytes; `end` is exclusive. `total` is absent where the server keeps it open. */
export interface ContentRange {
  readonly start: number
  readonly end: number
  readonly total?: number
}

const RANGE = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i

/** Reads `bytes 0-99/100` (RFC 9110, 14.4); undefined for anything that makes no sense. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const [, first, last, whole] = RANGE.exec(text?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || whole === undefined) return undefined
  const start = Number(first)
  const end = Number(last) + 1
  const total = whole === '*' ? undefined : Number(whole)
  if (end <= start || !Number.isSafeInteger(end) || (total !== undefined && end > total)) return undefined
  return {start, end, ...(total === undefined ? {} : {total})}
}
