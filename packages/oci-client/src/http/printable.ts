/**
 * What a terminal may act on or what makes text lie: control characters, line separators, marks that turn the reading
 * direction, lone surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Text from outside with everything escaped that is not plainly to be seen: `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0)
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
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
