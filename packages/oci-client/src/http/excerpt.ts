import {escapeSequence, escapeUnprintable} from '../model/index.js'

/** Returns text from outside with every character escaped that a terminal would not plainly show: `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return escapeUnprintable(text, escapeSequence)
}

/** `printable`, on one line and cut to `length` characters. */
export function excerpt(text: string, length: number): string {
  const line = printable(
    text
      .slice(0, length * 4)
      .replace(/\s+/g, ' ')
      .trim(),
  )
  return line.length > length ? `${line.slice(0, length)}…` : line
}
