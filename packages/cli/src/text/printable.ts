import {escapeSequence, escapeUnprintable} from '@airgap-mirror/oci-client/model'

const SHORT: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
}

/** A line that a terminal shows as it is: text from bundles and registries may not move the cursor or hide itself. */
export function printable(text: string): string {
  return escapeUnprintable(text, (character) => SHORT[character] ?? escapeSequence(character))
}

/** JSON in which the same characters are written as escapes: it reads back equal, and a terminal shows it as it is. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeUnprintable(JSON.stringify(value, undefined, indent), (character) =>
    character === '\n'
      ? character
      : Array.from({length: character.length}, (_, at) => jsonEscape(character, at)).join(''),
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

/** One of the code units of a character, as JSON writes it. */
function jsonEscape(character: string, at: number): string {
  return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
}
