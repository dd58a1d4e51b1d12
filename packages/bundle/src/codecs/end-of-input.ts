/** The compressed bytes end in the middle. */
export class EndOfInput extends Error {
  override readonly name = 'EndOfInput'
}
