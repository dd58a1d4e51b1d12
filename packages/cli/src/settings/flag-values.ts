import {MirrorError, messageOf} from '@airgap-mirror/oci-client/model'

/** The values of a command's flags, as oclif parses them. */
export interface FlagValues {
  readonly [flag: string]: string | boolean | readonly string[] | undefined
}

/** Reads flags one by one. A flag that was not given is undefined. */
export interface FlagReader {
  readonly text: (flag: string) => string | undefined
  readonly list: (flag: string) => readonly string[]
  readonly on: (flag: string) => boolean
  /** The value of a flag that takes one of these. @throws {MirrorError} USAGE for any other */
  readonly choice: <Value extends string>(flag: string, values: readonly Value[]) => Value | undefined
  /** @throws {MirrorError} USAGE */
  readonly whole: (flag: string, bounds: {readonly from: number; readonly to: number}) => number | undefined
  /** @throws {MirrorError} USAGE with the message of `parse` */
  readonly parsed: (flag: string, parse: (text: string) => number) => number | undefined
}

/** @param options.prefix the beginning of all names: `source-` for the flags of the source's side */
export function flagReader(flags: FlagValues, {prefix = ''}: {readonly prefix?: string} = {}): FlagReader {
  const text = (flag: string): string | undefined => {
    const value = flags[prefix + flag]
    return typeof value === 'string' ? value : undefined
  }
  return {
    text,
    list: (flag) => {
      const value = flags[prefix + flag]
      return typeof value === 'object' ? value : []
    },
    on: (flag) => flags[prefix + flag] === true,
    choice: (flag, values) => {
      const value = text(flag)
      const found = values.find((each) => each === value)
      if (found !== undefined || value === undefined) return found
      throw new MirrorError(
        'USAGE',
        `--${prefix}${flag} ${JSON.stringify(value)} is not one of ${values.join(', ')}`,
      )
    },
    whole: (flag, {from, to}) => {
      const value = text(flag)
      if (value === undefined) return undefined
      const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : Number.NaN
      if (number >= from && number <= to) return number
      throw new MirrorError(
        'USAGE',
        `--${prefix}${flag} ${JSON.stringify(value)} is not a whole number from ${from} to ${to}`,
      )
    },
    parsed: (flag, parse) => {
      const value = text(flag)
      if (value === undefined) return undefined
      try {
        return parse(value)
      } catch (cause) {
        throw new MirrorError('USAGE', `--${prefix}${flag}: ${messageOf(cause)}`, {cause})
      }
    },
  }
}

/**
 * Standard input can be read once.
 * @throws {MirrorError} USAGE naming two that want it
 */
export function refuseTwoReaders(readers: readonly (readonly [boolean, string])[]): void {
  const [first, second] = readers.filter(([reads]) => reads).map(([, flag]) => flag)
  if (second !== undefined) throw new MirrorError('USAGE', `${first} and ${second} both read standard input`)
}
