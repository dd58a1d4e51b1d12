import {jsonReply, Refusal} from './refusal.js'
import type {Exchange, ReadableRepository, Registry} from './registry.js'
import type {Reply} from './reply.js'

/** GET tags/list with `n`, `last` and `Link`. */
export function listTags(
  {route}: Exchange,
  repository: ReadableRepository,
  {pageSize}: Pick<Registry, 'pageSize'>,
): Reply {
  const {repository: name, params} = route
  const asked = params.get('n') ?? String(pageSize)
  if (!/^\d{1,9}$/.test(asked)) {
    throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested')
  }
  const count = Math.min(Number(asked), pageSize)
  const last = params.get('last') ?? ''
  const rest = [...new Set(repository.tags())]
    .toSorted(compareText)
    .filter((tag) => compareText(tag, last) > 0)
  const page = rest.slice(0, count)
  if (page.length === 0 || page.length === rest.length) return jsonReply({name, tags: page})
  const next = new URLSearchParams({n: String(count), last: page.at(-1) ?? ''})
  const registry = params.get('ns')
  if (registry !== null) next.set('ns', registry)
  return jsonReply(
    {name, tags: page},
    {headers: {link: `</v2/${name}/tags/list?${next.toString()}>; rel="next"`}},
  )
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
