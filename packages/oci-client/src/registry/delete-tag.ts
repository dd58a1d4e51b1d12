import {urlOf, type RegistryClient} from '../client/client.js'
import {endpoints} from '../client/endpoints.js'
import {resolveManifest} from '../client/read-manifest.js'
import {tagViews} from './tag-views.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {formatReference, MirrorError, type CallOptions, type Digest, type Reference} from '../model/index.js'

interface DeleteTagOptions extends CallOptions {
  /** The digest that the tag must point at; otherwise the tag stays. */
  readonly digest: Digest
  /** Returns true if another tag of the repository, which points at the same manifest, may be deleted along with it. */
  readonly mayGo: (tag: string) => boolean
  /** True if an image uses the manifest by its digest, or an index that holds it: tags cannot show this. */
  readonly isUsedByDigest?: boolean
}

type DeleteTagResult =
  /** `along`: the other tags of the manifest, deleted because the registry deletes only whole manifests. */
  | {readonly status: 'deleted'; readonly along: readonly string[]}
  | {readonly status: 'gone'}
  /** The tag points at another manifest now. */
  | {readonly status: 'changed'; readonly digest: Digest}
  /** The registry deletes only whole manifests, and this tag or digest still uses the manifest. */
  | {readonly status: 'shared'; readonly by: string}

export interface TagDeletion {
  readonly deleteTag: (target: Reference, options: DeleteTagOptions) => Promise<DeleteTagResult>
  /** Must be called after a tag of the repository was set. */
  readonly forget: (repository: string) => void
}

/**
 * Deletes a tag and leaves the manifest to the registry (distribution-spec, Deleting Tags).
 * Distribution 2 has only `DELETE` by digest, which takes all tags of the manifest with it and breaks the indexes it is
 * in. Then all tags of the repository are checked first, at most half a minute before.
 * A target without a tag is a manifest to be deleted by digest.
 */
export function deletingTags(client: RegistryClient): TagDeletion {
  const views = tagViews(client)
  let areTagsRefused = false
  let isSwitchedOff = false

  const deleteByDigest = async (
    target: Reference,
    {digest, mayGo, isUsedByDigest = false, signal}: DeleteTagOptions,
  ): Promise<DeleteTagResult> => {
    if (isSwitchedOff) throw switchedOff(client, target)
    if (isUsedByDigest) return {status: 'shared', by: digest}
    const seen = await views.of({repository: target.repository, signal})
    if (target.tag !== undefined && !seen.has(target.tag)) throw unlisted(client, target)
    const along: string[] = []
    for (const [tag, view] of seen) {
      if (view.below.has(digest)) return {status: 'shared', by: tag}
      if (view.digest !== digest || tag === target.tag) continue
      if (!mayGo(tag)) return {status: 'shared', by: tag}
      along.push(tag)
    }
    const {registry, repository} = target
    const response = await request(client, {target: {registry, repository, digest}, signal})
    if (isDone(response)) return await discarded(response, {status: 'deleted', along})
    if (response.status === 404) return await discarded(response, {status: 'gone'})
    isSwitchedOff = response.status === 405
    throw await refusal(client, {response, target})
  }

  const deleteTag = async (target: Reference, options: DeleteTagOptions): Promise<DeleteTagResult> => {
    const {digest, signal} = options
    const pointsAt = async (): Promise<Digest | undefined> => {
      const at = target.tag === undefined ? {...target, digest} : target
      return (await resolveManifest(client, {target: at, signal}))?.digest
    }
    const found = await pointsAt()
    if (found === undefined) return {status: 'gone'}
    if (found !== digest) return {status: 'changed', digest: found}
    if (target.tag !== undefined && !areTagsRefused) {
      const response = await request(client, {target, signal})
      if (isDone(response)) return await discarded(response, {status: 'deleted', along: []})
      if (!TAG_REFUSED.has(response.status)) throw await refusal(client, {response, target})
      await response.discard()
      // Either another client has deleted it, or the registry does not delete tags.
      if (response.status === 404 && (await pointsAt()) === undefined) return {status: 'gone'}
      areTagsRefused = true
    }
    return await deleteByDigest(target, options)
  }

  return {deleteTag, forget: (repository) => views.forget(repository)}
}

/** Distribution 2.8 takes the tag for an invalid digest: 400, and 405 if deletion is switched off (seen in 2.8.2). */
const TAG_REFUSED: ReadonlySet<number> = new Set([400, 404, 405, 501])

function isDone({status}: HttpResponse): boolean {
  return status === 202 || status === 200 || status === 204
}

function request(
  client: RegistryClient,
  {target, signal}: CallOptions & {readonly target: Reference},
): Promise<HttpResponse> {
  return client.send({
    method: 'DELETE',
    url: urlOf(client, endpoints.manifest(target)),
    signal,
    // `delete` is a separate right (distribution, auth/scope.md). With the others, one token serves later requests.
    scopes: [`repository:${target.repository}:pull,push,delete`],
  })
}

async function discarded(response: HttpResponse, result: DeleteTagResult): Promise<DeleteTagResult> {
  await response.discard()
  return result
}

async function refusal(
  client: RegistryClient,
  {response, target}: {readonly response: HttpResponse; readonly target: Reference},
): Promise<MirrorError> {
  const {status} = response
  const reference = formatReference(target)
  const error = await responseError(response, {side: client.side, what: `cannot delete the tag ${reference}`})
  const {code, message, side} = error
  if (status === 405) return new MirrorError(code, message, {side, advice: {kind: 'switch-on-deletion'}})
  if (code === 'DENIED' && (status === 401 || status === 403))
    return new MirrorError(code, message, {side, advice: {kind: 'check-deletion-right'}})
  return error
}

/** Returned without another request, because it holds for the whole registry. */
function switchedOff(client: RegistryClient, target: Reference): MirrorError {
  return new MirrorError(
    'DENIED',
    `cannot delete the tag ${formatReference(target)}: the registry deletes nothing`,
    {
      side: client.side,
      advice: {kind: 'switch-on-deletion'},
    },
  )
}

function unlisted(client: RegistryClient, target: Reference): MirrorError {
  return new MirrorError(
    'PROTOCOL',
    `cannot delete the tag ${formatReference(target)}: the registry leaves it out of its list of tags`,
    {
      side: client.side,
      advice: {kind: 'check-tag-list'},
    },
  )
}
