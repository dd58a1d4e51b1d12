import {limits} from '../model/index.js'

export interface Challenge {
  /** Lower case: `basic`, `bearer`, … */
  readonly scheme: string
  /** By lower-case name; the first of repeated ones. A token68 (`Negotiate abc==`) is left out. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const GAP = /[\t ]*/y
const EQUALS = /[\t ]*=[\t ]*/y
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[\t ]*(?:,|$))/y
const UNQUOTED = /[^\t ,"]*/y

/**
 * Returns all challenges of the `WWW-Authenticate` values (RFC 9110, 11.6.1): several in a value, commas and escapes in
 * quotes.
 * Never throws: skips text that it cannot parse, and reads at most `limits.headerBytes` and `limits.challenges`.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  const challenges: Challenge[] = []
  let room: number = limits.headerBytes
  for (const value of values) {
    if (room <= 0) break
    challenges.push(...parseValue(value.slice(0, room)))
    room -= value.length
  }
  return challenges.slice(0, limits.challenges)
}

function parseValue(text: string): Challenge[] {
  const challenges: {readonly scheme: string; readonly parameters: Map<string, string>}[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const [found] = pattern.exec(text) ?? []
    at += found?.length ?? 0
    return found
  }
  while (at < text.length && challenges.length <= limits.challenges) {
    const name = take(TOKEN)?.toLowerCase()
    if (name === undefined) {
      at = text[at] === '"' ? quotedString(text, at).end : at + 1
      continue
    }
    if (take(EQUALS) === undefined) {
      challenges.push({scheme: name, parameters: new Map()})
      take(GAP)
      take(TOKEN68)
      continue
    }
    const quoted = text[at] === '"' ? quotedString(text, at) : undefined
    at = quoted?.end ?? at
    const parameter = quoted?.value ?? take(UNQUOTED) ?? ''
    const parameters = challenges.at(-1)?.parameters
    if (parameters !== undefined && !parameters.has(name) && parameters.size < limits.challenges) {
      parameters.set(name, parameter)
    }
  }
  return challenges
}

/** Returns the text in quotes. Without a closing quote it ends with the text. */
function quotedString(text: string, start: number): {readonly value: string; readonly end: number} {
  let value = ''
  let at = start + 1
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at += 1
    value += text[at] ?? ''
    at += 1
  }
  return {value, end: Math.min(at + 1, text.length)}
}
