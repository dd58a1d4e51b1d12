/**
 * Characters that a terminal acts on, or that hide or reorder text: controls, format characters, line separators,
 * halves of surrogate pairs.
 * Also those that fonts show as nothing: fillers, joiners, tags, variation selectors, the braille blank.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/** Returns the text with `escape` applied to each character that a terminal would not plainly show. */
export function escapeUnprintable(text: string, escape: (character: string) => string): string {
  return text.replace(UNPRINTABLE, escape)
}

/** Returns `\x1b`, `\u202e` or `\u{e0041}`. */
export function escapeSequence(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}
