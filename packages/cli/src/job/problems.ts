import {messageOf, MirrorError, type Advice, type ErrorCode} from '@airgap-mirror/oci-client/model'

/** A place in a file: keys, and places in lists from 0. */
export type Path = readonly (string | number)[]

/** Everything that is wrong with one file, told at once. */
export interface Problems {
  /** Notes what is wrong at a path. Only the first problem of a path is kept: the others follow from it. */
  add(path: Path, text: string): void
  /** Returns the result of `read`. If it throws, notes the message without a leading flag name and returns undefined. */
  attempt<Result>(path: Path, read: () => Result): Result | undefined
  has(path: Path): boolean
  /** @throws {MirrorError} `code` if there are any */
  throwIfAny(options?: {readonly code?: ErrorCode; readonly advice?: Advice; readonly hint?: string}): void
}

/** Most problems in one message. After this many the user has to rework the file anyway. */
const SHOWN = 50

/**
 * @param name the name of the file in messages
 * @param lineOf the line of a path, from 1
 */
export function collectProblems(name: string, lineOf: (path: Path) => number | undefined): Problems {
  const found = new Map<string, {readonly line: number; readonly text: string}>()
  const add = (path: Path, text: string): void => {
    const key = formatPath(path)
    if (!found.has(key)) found.set(key, {line: lineOf(path) ?? 0, text})
  }
  return {
    add,
    attempt: (path, read) => {
      try {
        return read()
      } catch (error) {
        add(path, messageOf(error).replace(/^--[a-z-]+:? /, ''))
        return undefined
      }
    },
    has: (path) => found.has(formatPath(path)),
    throwIfAny: ({code = 'CONFIG_INVALID', advice, hint} = {}) => {
      if (found.size === 0) return
      const sorted = [...found].toSorted(([, left], [, right]) => left.line - right.line)
      const lines = sorted
        .slice(0, SHOWN)
        .map(([at, {line, text}]) =>
          [line === 0 ? '' : `line ${line}`, at, text].filter((part) => part !== '').join(': '),
        )
      const rest = sorted.length > SHOWN ? [`and ${sorted.length - SHOWN} more`] : []
      const count = `${found.size} problem${found.size === 1 ? '' : 's'}`
      throw new MirrorError(code, [`${name}: ${count}`, ...lines, ...rest].join('; '), {advice, hint})
    },
  }
}

/** `jobs[0].repositories[2].tags`; a key that is no plain word is written in quotes. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part.slice(0, 100))}]`
      return index === 0 ? part : `.${part}`
    })
    .join('')
}
