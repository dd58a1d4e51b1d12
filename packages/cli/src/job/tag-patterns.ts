import type {RE2JS} from 're2js'
import {messageOf} from '@airgap-mirror/oci-client/model'
import {re2} from '../names/re2.js'

/** A tag matches if a glob matches all of it, or if an expression is found in it. */
export interface TagPatterns {
  /** `*` is any text, `?` one character. */
  readonly glob?: readonly string[]
  /** RE2, Go's syntax: takes linear time for any tag. */
  readonly regex?: readonly string[]
}

/** Returns true if the glob could match a tag. Other characters do not occur in tags; bracket classes are not supported. */
export function isTagGlob(text: string): boolean {
  return /^[\w.*?-]{1,256}$/.test(text)
}

/** @throws {Error} where RE2 would not take the expression */
export function checkExpression(text: string): void {
  return void compile(text)
}

/** @throws {Error} for an expression that RE2 does not take */
export function tagMatcher({glob = [], regex = []}: TagPatterns): (tag: string) => boolean {
  const globs = glob.map((pattern) => re2().compile(`^${pattern.replaceAll(/[*?]|[^*?]+/g, globPart)}$`))
  const expressions = [...globs, ...regex.map(compile)]
  return (tag) => expressions.some((expression) => expression.matcher(tag).find())
}

function globPart(part: string): string {
  return part === '*' ? '.*' : part === '?' ? '.' : re2().quote(part)
}

function compile(text: string): RE2JS {
  try {
    return re2().compile(text)
  } catch (cause) {
    throw new Error(
      `${JSON.stringify(text.slice(0, 200))} is not an expression in RE2 syntax: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}
