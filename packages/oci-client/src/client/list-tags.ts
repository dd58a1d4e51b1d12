import {pageAfter} from './page-after.js'
import {readAnswer, type Answer} from './read-answer.js'
import {urlOf, type RegistryClient} from './client.js'
import {scopeOf} from './scope.js'
import {responseError} from '../http/response-error.js'
import {isWebPage, notRegistry} from '../http/not-registry.js'
import type {HttpResponse, HttpUrl} from '../http/send.js'
import {
  isMirrorError,
  isTag,
  limits,
  MirrorError,
  parseJsonObject,
  type CallOptions,
  type Place,
} from '../model/index.js'

export interface ListTags extends CallOptions {
  readonly place: Place
  /** Most pages to read; default and bound `limits.listPages`. */
  readonly pages?: number
}

export interface TagList {
  /** In the registry's order, each once. */
  readonly tags: readonly string[]
  /** False if there are more pages than were asked for. */
  readonly complete: boolean
}

/** The largest page of distribution 3 and ECR. Others give fewer entries and a link to the next page. */
const PAGE = 1000

/**
 * Returns the tags of a repository, read page by page.
 * @throws {MirrorError} NOT_FOUND, LIMIT_EXCEEDED, PROTOCOL for an answer that is no list or a list that does not end,
 * and the errors of the registry
 */
export async function readTags(
  client: RegistryClient,
  {place, pages = limits.listPages, signal}: ListTags,
): Promise<TagList> {
  const name = `${place.registry}/${place.repository}`
  const base = `/v2/${place.repository}/tags/list`
  const ask = (url: HttpUrl): Promise<Answer> =>
    readAnswer(
      client,
      {method: 'GET', url, signal, scopes: [scopeOf(client, place.repository)]},
      {reference: `the list of tags of ${name}`, limit: limits.tagsBodyBytes},
    )
  const tags = new Set<string>()
  let answer = await ask(urlOf(client, `${base}?n=${PAGE}`))
  if (answer.response.status === 400) {
    // Some registries refuse a page of that size rather than giving a smaller one.
    await answer.response.discard()
    answer = await ask(urlOf(client, base))
  }
  for (let page = 1; ; page++) {
    const {response, bytes} = answer
    if (response.status !== 200)
      throw await responseError(response, {side: client.side, what: `cannot list the tags of ${name}`})
    const before = tags.size
    const listed = tagsIn(bytes, {name, client, response, repository: place.repository})
    for (const tag of listed) tags.add(tag)
    if (tags.size > limits.tags) {
      throw new MirrorError('LIMIT_EXCEEDED', `${name} has more than ${limits.tags} tags`, {
        side: client.side,
      })
    }
    const next = pageAfter(client, {response, reference: `the list of tags of ${name}`})
    if (next === undefined) return {tags: [...tags], complete: true}
    if (page >= Math.min(pages, limits.listPages)) return {tags: [...tags], complete: false}
    // The tags of an empty page may all have been deleted meanwhile. A page that only repeats tags leads in a circle.
    if (listed.length > 0 && tags.size === before) {
      throw new MirrorError('PROTOCOL', `the list of tags of ${name} leads in a circle`, {side: client.side})
    }
    answer = await ask(next)
  }
}

function tagsIn(
  body: Uint8Array,
  {
    name,
    client,
    response,
    repository,
  }: {
    readonly name: string
    readonly client: RegistryClient
    readonly response: HttpResponse
    readonly repository: string
  },
): readonly string[] {
  const stranger = (): MirrorError =>
    notRegistry(response, {bytes: body, asked: `the list of tags of ${name}`, side: client.side, repository})
  if (body.length === 0 || isWebPage(body)) throw stranger()
  try {
    const {name: named, tags} = parseJsonObject(body, `the list of tags of ${name}`)
    // Go writes null for an empty list, and some leave it out. Other content must not pass for one: tags are pruned by it.
    if (tags === undefined && named === undefined) throw stranger()
    if (tags === null || tags === undefined) return []
    if (!Array.isArray(tags)) throw new MirrorError('PROTOCOL', `the list of tags of ${name} has none`)
    const valid = tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag))
    if (valid.length < tags.length) client.warn(`${name} lists tags that are not valid: they are left out`)
    return valid
  } catch (error) {
    if (!isMirrorError(error)) throw error
    if (error.code === 'PROTOCOL' && error.side !== undefined) throw error
    throw new MirrorError('PROTOCOL', error.message, {side: client.side, cause: error})
  }
}
