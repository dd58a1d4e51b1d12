import type {RE2JS} from 're2js'
import {MirrorError, messageOf} from '@airgap-mirror/oci-client/model'
import {re2} from './re2.js'

/** A `--rewrite` rule: RE2 syntax, as K3s runs the same rule with Go's regexp on its side. */
export interface RewriteRule {
  readonly text: string
  /** Returns the path with every match replaced; the same path if nothing matches. */
  apply(path: string): string
}

/**
 * Reads `REGEX=REPLACEMENT`, split at the last `=`.
 * @throws {MirrorError} USAGE if there is no `=` or Go's RE2 would not take the expression
 */
export function parseRewriteRule(text: string): RewriteRule {
  const split = text.lastIndexOf('=')
  if (split <= 0) {
    throw new MirrorError('USAGE', `--rewrite ${JSON.stringify(text)} is not of the form REGEX=REPLACEMENT`)
  }
  try {
    return {text, apply: compileRewrite(text.slice(0, split), text.slice(split + 1))}
  } catch (cause) {
    throw new MirrorError('USAGE', `--rewrite ${JSON.stringify(text)}: ${messageOf(cause)}`, {
      cause,
      hint: 'Rules use RE2, the syntax of Go and K3s: no look-around and no back-references.',
    })
  }
}

/**
 * Replaces every match in a path, as Go does.
 * @throws {Error} if RE2 does not take the expression
 */
export function compileRewrite(pattern: string, replacement: string): (path: string) => string {
  const expression = re2().compile(pattern)
  return (path) => replaceAll(expression, path, replacement)
}

function replaceAll(expression: RE2JS, path: string, replacement: string): string {
  const matcher = expression.matcher(path)
  const names = expression.namedGroups()
  let result = ''
  let last = 0
  while (matcher.find()) {
    const group = (name: string): string => {
      const index = /^[0-9]+$/.test(name) ? Number(name) : names[name]
      return index === undefined || index > matcher.groupCount() ? '' : (matcher.group(index) ?? '')
    }
    result += path.slice(last, matcher.start()) + expand(replacement, group)
    last = matcher.end()
  }
  return result + path.slice(last)
}

/** Go's `Regexp.Expand`: `$1`, `$name` (the longest run of word characters), `${name}`, `$$`. */
function expand(template: string, group: (name: string) => string): string {
  return template.replaceAll(
    /\$(?:\$|\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, bare: string | undefined) =>
      whole === '$$' ? '$' : group(braced ?? bare ?? ''),
  )
}
