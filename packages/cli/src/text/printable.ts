/** C0 and C1 controls, what reorders or hides text on a screen, and halves of surrogate pairs. */
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const SHORT: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
}

/** One line that a terminal shows as it is: text from bundles and registries may not move the cursor or hide itself. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT[character] ?? escaped(character.charCodeAt(0)))
}

/** JSON in which the same characters are written as escapes: it reads back equal, and a terminal shows it as it is. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `printable`, cut in the middle if it is longer than `length`. */
export function shortened(text: string, length: number): string {
  const line = printable(text)
  if (line.length <= length) return line
  const head = Math.ceil((length - 1) / 2)
  const tail = Math.max(0, length - 1 - head)
  return `${line.slice(0, head)}…${tail === 0 ? '' : line.slice(-tail)}`
}

function escaped(code: number): string {
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}
