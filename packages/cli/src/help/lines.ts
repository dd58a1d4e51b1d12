/** The width of help: a terminal has no less. */
export const WIDTH = 80

/** Words in lines of at most 80 characters, each behind `indent`. A longer word has a line of its own. */
export function filled(text: string, indent: string): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.match(/\[env: \S+\]|\S+/g) ?? []) {
    if (line === '') line = word
    else if (indent.length + line.length + 1 + word.length <= WIDTH) line += ` ${word}`
    else {
      lines.push(indent + line)
      line = word
    }
  }
  return line === '' ? lines : [...lines, indent + line]
}

/** A command line, broken before a word so that the shell accepts it: with a backslash. It can be pasted as it is. */
export function pasteable(command: string, indent: string): readonly string[] {
  const words = wordsOf(command)
  const lines: string[] = []
  let line = indent + (words[0] ?? '')
  for (const word of words.slice(1)) {
    if (line.length + 1 + word.length + ' \\'.length <= WIDTH) line += ` ${word}`
    else {
      lines.push(`${line} \\`)
      line = `${indent}  ${word}`
    }
  }
  return [...lines, line]
}

/** The words of a command line; a flag keeps its value. */
function wordsOf(command: string): readonly string[] {
  return command.match(/--[\w-]+ (?!-)(?:'[^']*'|"[^"]*"|\S+)|'[^']*'|"[^"]*"|\S+/g) ?? []
}
