/** `repository:a/b:pull,push`, split; undefined for a text that has no such form. */
interface Scope {
  /** `repository:a/b`: the name may itself hold colons (distribution auth/scope.md). */
  readonly resource: string
  readonly actions: readonly string[]
}

/** The same set of rights always gives the same list: actions merged, everything sorted, nothing twice. */
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

/** Whether everything in `wanted` is in `held`. */
export function coversScopes(held: readonly string[], wanted: readonly string[]): boolean {
  const together = normaliseScopes([...held, ...wanted])
  const alone = normaliseScopes(held)
  return together.length === alone.length && together.every((scope, index) => scope === alone[index])
}

/** A `scope` parameter as challenges carry it: scopes between spaces. */
export function splitScopes(text: string | undefined): readonly string[] {
  return text?.split(' ').filter((scope) => scope !== '') ?? []
}

/** The repository a request is about: the one it writes to where it names several, as a mount does. */
export function repositoryOf(scopes: readonly string[]): string | undefined {
  const repositories = scopes
    .map(parseScope)
    .filter((scope) => scope !== undefined)
    .filter(({resource}) => resource.startsWith('repository:'))
  const chosen = repositories.find(isWriting) ?? repositories[0]
  return chosen?.resource.slice('repository:'.length)
}

/** Without the repositories that a request only reads from, beside one that it writes to. */
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
