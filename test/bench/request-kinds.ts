/** Requests by kind, `HEAD manifest` 200, the most frequent first, as a registry's access log tells them. */
export function requestKinds(log: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [, method = '', path = ''] of log.matchAll(/"([A-Z]+) (\/v2\/\S*) HTTP\/1\.1"/g)) {
    const kind = `${method} ${whatOf(path)}`
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return new Map([...counts].toSorted(([, left], [, right]) => right - left))
}

export function formatKinds(kinds: ReadonlyMap<string, number>): string {
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')
}

function whatOf(path: string): string {
  if (path.includes('?mount=') || path.includes('&mount=')) return 'mount'
  if (path.includes('/blobs/uploads/')) return 'upload'
  if (path.includes('/blobs/')) return 'blob'
  if (path.includes('/manifests/')) return 'manifest'
  if (path.includes('/referrers/')) return 'referrers'
  return path.includes('/tags/list') ? 'tags' : path
}
