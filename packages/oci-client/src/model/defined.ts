/**
 * Returns the members whose value is not undefined. Spread it over defaults, because an absent option must not hide
 * one. Use it where the presence of a key counts, such as for headers.
 */
export function defined<Values extends object>(
  values: Values,
): {[Key in keyof Values]?: Exclude<Values[Key], undefined>} {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]?: Exclude<Values[Key], undefined>
  }
}
