/** Returns the known word nearest to a mistyped word: at most two letters and a third of the word away. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const [nearest] = known
    .map((candidate) => ({candidate, distance: distanceBetween(word, candidate)}))
    .filter(({candidate, distance}) => distance <= Math.min(2, Math.ceil(candidate.length / 3)))
    .toSorted((left, right) => left.distance - right.distance)
  return nearest?.candidate
}

/** Levenshtein's: letters to add, to drop or to change. */
function distanceBetween(from: string, to: string): number {
  const letters = to.split('')
  let row = [0, ...letters.map((_letter, index) => index + 1)]
  for (const [at, letter] of from.split('').entries()) {
    const next = [at + 1]
    for (const [index, other] of letters.entries()) {
      const changed = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
