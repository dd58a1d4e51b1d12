/** `repository:a/b:pull,push`, split. */
interface Scope {
  /** `repository:a/b`: the name may itself hold colons (distribution auth/scope.md). */
  readonly resource: string
  readonly actions: readonly string[]
}

/** Returns the same list for the same set of rights: actions merged, everything sorted, no duplicates. */
export function normaliseScopes(scopes: readonly string[]): readonly string[] {
  const actionsOf = new Map<string, Set<string>>()
  const others = new Set<string>()
  for (const text of scopes) {
    const scope = parseScope(text)
    if (scope === undefined) {
      if (text !== '') others.add(text)
      continue
    }
    const actions = actionsOf.get(scope.resource) ?? new Set()
    for (const action of scope.actions) actions.add(action)
    actionsOf.set(scope.resource, actions)
  }
  const merged = [...actionsOf].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`)
  return [...merged, ...others].sort()
}

/** Returns true if everything in `wanted` is in `held`. */
export function coversScopes(held: readonly string[], wanted: readonly string[]): boolean {
  const together = normaliseScopes([...held, ...wanted])
  const alone = normaliseScopes(held)
  return together.length === alone.length && together.every((scope, index) => scope === alone[index])
}

/** Splits a challenge's `scope` parameter at its spaces. */
export function splitScopes(text: string | undefined): readonly string[] {
  return text?.split(' ').filter((scope) => scope !== '') ?? []
}

/**
 * Returns the repository that a request is for. A mount names several; the result is the repository that it writes to.
 */
export function repositoryOf(scopes: readonly string[]): string | undefined {
  const repositories = scopes
    .map(parseScope)
    .filter((scope) => scope !== undefined)
    .filter(({resource}) => resource.startsWith('repository:'))
  const chosen = repositories.find(isWriting) ?? repositories[0]
  return chosen?.resource.slice('repository:'.length)
}

/** Leaves out the repositories that a request only reads from, if it writes to another. */
export function writingScopes(scopes: readonly string[]): readonly string[] {
  const writing = scopes.filter((text) => isWriting(parseScope(text)))
  return writing.length === 0 ? scopes : writing
}

function isWriting(scope: Scope | undefined): boolean {
  return scope?.actions.includes('push') ?? false
}

function parseScope(text: string): Scope | undefined {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  if (first <= 0 || last === first) return undefined
  const actions = text.slice(last + 1).split(',')
  return {resource: text.slice(0, last), actions: actions.filter((action) => action !== '')}
}
