/**
 * Arguments as one would write them in a shell: argv`push --source ${path} --retries 0 ${flags}`. White space outside of
 * values divides them; a list stands for its items.
 */
export function argv(
  texts: TemplateStringsArray,
  ...values: readonly (string | readonly string[])[]
): readonly string[] {
  const list: string[] = []
  let isOpen = false
  const add = (word: string): void => {
    if (isOpen) list.push(`${list.pop() ?? ''}${word}`)
    else list.push(word)
    isOpen = true
  }
  for (const [index, text] of texts.entries()) {
    for (const piece of text.split(/(\s+)/)) {
      if (piece.trim() !== '') add(piece)
      else if (piece !== '') isOpen = false
    }
    const value = values[index]
    if (typeof value === 'string') add(value)
    else if (value !== undefined) {
      list.push(...value)
      isOpen = false
    }
  }
  return list
}
