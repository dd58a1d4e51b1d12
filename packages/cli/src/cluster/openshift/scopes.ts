/**
 * Returns true if OpenShift counts the inner scope as part of the outer. Stricter than containers/image: `host:port` is
 * not inside `host`.
 */
export function isInScope(inner: string, outer: string): boolean {
  if (inner === outer || inner.startsWith(`${outer}/`)) return true
  if (!outer.startsWith('*.')) return false
  const suffix = outer.slice(1)
  const colon = inner.indexOf(':')
  if (colon >= 0) {
    const host = inner.slice(0, colon)
    return host.endsWith(suffix) && !host.includes('/')
  }
  return (inner.split('/', 1)[0] ?? '').endsWith(suffix)
}

/** @throws {Error} worded as the Machine Config Operator does */
export function checkScopes(scopes: readonly string[], kind: 'insecure' | 'blocked' | 'allowed'): void {
  const wrong = scopes.find((scope) => !isValidScope(scope))
  if (wrong !== undefined) throw new Error(`invalid entry for ${kind} registries ${JSON.stringify(wrong)}`)
}

function isValidScope(scope: string): boolean {
  if (scope === '') return false
  return !scope.includes('*') || (scope.startsWith('*.') && !/[/@:*]/.test(scope.slice(2)))
}
