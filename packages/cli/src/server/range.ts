/** Bytes of a blob; `end` is exclusive. */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * Parses a Range header of one part (RFC 9110, 14.2). Anything else is undefined: the whole blob is the answer then, as the
 * RFC allows.
 */
export function parseRange(text: string | undefined, size: number): Range | 'unsatisfiable' | undefined {
  const {first = '', last = ''} =
    /^bytes=(?<first>\d{0,15})-(?<last>\d{0,15})$/.exec(text ?? '')?.groups ?? {}
  if (first === '' && last === '') return undefined
  if (first === '')
    return last === '0' || size === 0 ? 'unsatisfiable' : {start: Math.max(0, size - Number(last)), end: size}
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return {start, end: last === '' ? size : Math.min(size, Number(last) + 1)}
}
