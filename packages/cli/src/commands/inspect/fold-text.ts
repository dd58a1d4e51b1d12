export interface Width {
  /** The most columns of a line. */
  readonly width: number
}

/**
 * Breaks a line between words, with an indent before what goes on. A word that is longer than a line is broken, too, so that
 * nothing is lost.
 */
export function foldText(
  line: string,
  {width, indent}: {readonly width: number; readonly indent: number},
): readonly string[] {
  const lines: string[] = []
  let current = ''
  const begin = /^ */.exec(line)?.[0] ?? ''
  for (const word of line.trim().split(' ')) {
    const prefix = lines.length === 0 ? begin : ' '.repeat(indent)
    const joined = current === '' ? prefix + word : `${current} ${word}`
    if (joined.length <= width) {
      current = joined
      continue
    }
    if (current !== '') lines.push(current)
    const inside = ' '.repeat(lines.length === 0 ? begin.length : indent)
    const pieces = foldName(word, width - inside.length)
    lines.push(...pieces.slice(0, -1).map((piece) => inside + piece))
    current = inside + (pieces.at(-1) ?? '')
  }
  return [...lines, current]
}

/** Breaks a name behind a `/`, before a `:` or an `@`, or where there is no such place, at the width. A digest stays whole. */
export function foldName(name: string, width: number): readonly string[] {
  const pieces: string[] = []
  let rest = name
  while (rest.length > width) {
    const head = rest.slice(0, width)
    const after = head.lastIndexOf('/') + 1
    const next = rest.slice(0, width + 1).replace(/(?<=@sha(?:256|512)):/, '_')
    const before = Math.max(next.lastIndexOf(':'), next.lastIndexOf('@'))
    const natural = Math.max(after, before)
    const end = natural > width / 3 ? natural : width
    pieces.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return [...pieces, rest]
}
