import {nameOf, urlOf, type RegistryClient} from './client.js'
import {endpoints, pullScope, pushScope} from './endpoints.js'
import {asQuestion, leavesOpen} from './question.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse, Send} from '../http/send.js'
import type {Digest} from '../model/index.js'

export interface BlobQuestion {
  readonly repository: string
  readonly digest: Digest
  readonly signal: AbortSignal | undefined
}

/** Asks if a blob is there; the caller judges the status of the answer. */
export function headBlob(
  client: RegistryClient,
  {send, repository, digest, signal}: BlobQuestion & {readonly send: Send},
): Promise<HttpResponse> {
  return send({
    method: 'HEAD',
    url: urlOf(client, endpoints.blob(repository, digest)),
    signal,
    scopes: [scopeOf(client, repository)],
  })
}

/**
 * Returns true if the blob was there when asked. It may be gone by now.
 * @throws {MirrorError} for any status but 200 and 404; inconclusive if a target's answer tells nothing
 */
export function hasBlob(client: RegistryClient, question: BlobQuestion): Promise<boolean> {
  return asQuestion(client, () => askForBlob(client, question))
}

async function askForBlob(client: RegistryClient, question: BlobQuestion): Promise<boolean> {
  const response = await headBlob(client, {...question, send: client.send})
  if (response.status === 200 || response.status === 404) {
    await response.discard()
    return response.status === 200
  }
  throw await responseError(response, {
    side: client.side,
    what: `cannot ask for the blob ${nameOf(client, question)}`,
    inconclusive: leavesOpen(client, response.status),
  })
}

/**
 * A target is asked with the right to push, so that one token serves later requests. On a source that would be refused.
 */
export function scopeOf({side}: RegistryClient, repository: string): string {
  return side === 'target' ? pushScope(repository) : pullScope(repository)
}
