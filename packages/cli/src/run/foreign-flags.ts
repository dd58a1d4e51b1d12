import {FOREIGN_FLAGS} from './foreign-flag-table.js'

/**
 * Returns how to say a flag of another program here, if the command can do the same.
 * @param flag without dashes
 */
export function translateFlag(
  flag: string,
  known: Readonly<Record<string, unknown>>,
): {readonly program: string; readonly words: string} | undefined {
  const foreign = FOREIGN_FLAGS.get(flag)
  return foreign?.flags.every((name) => Object.hasOwn(known, name)) === true ? foreign : undefined
}
