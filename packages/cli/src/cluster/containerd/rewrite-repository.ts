import {compileRewrite} from '../../names/rewrite.js'

/**
 * The names that the rewrites of K3s can give to a repository. Its rules are tried in a random order and the first one
 * that changes the name counts, so two rules with different results give two names.
 */
export function rewriteRepository(
  repository: string,
  rewrites: readonly (readonly [string, string])[],
): {readonly repositories: readonly string[]; readonly warnings: readonly string[]} {
  const names = new Set<string>()
  const warnings: string[] = []
  for (const [pattern, replacement] of rewrites) {
    const rewrite = compiled(pattern, replacement)
    if (rewrite === undefined) {
      warnings.push(`the rewrite "${pattern}" is ignored because it is not an expression of RE2`)
      continue
    }
    const name = rewrite(repository)
    if (name !== repository) names.add(name)
  }
  return {repositories: names.size === 0 ? [repository] : [...names].sort(), warnings}
}

function compiled(pattern: string, replacement: string): ((path: string) => string) | undefined {
  try {
    return compileRewrite(pattern, replacement)
  } catch {
    return undefined
  }
}
