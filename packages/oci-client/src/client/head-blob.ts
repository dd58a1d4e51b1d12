import {nameOf, urlOf, type RegistryClient} from './client.js'
import {endpoints, pullScope, pushScope} from './endpoints.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse, Send} from '../http/send.js'
import type {Digest} from '../model/index.js'

export interface BlobQuestion {
  readonly repository: string
  readonly digest: Digest
  readonly signal: AbortSignal | undefined
}

/** Asks whether a blob is there; the answer's status is the caller's to judge. */
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

/** A hint: what was there a moment ago may be gone. @throws {MirrorError} for any answer but yes and no */
export async function hasBlob(client: RegistryClient, question: BlobQuestion): Promise<boolean> {
  const response = await headBlob(client, {...question, send: client.send})
  if (response.status === 200 || response.status === 404) {
    await response.discard()
    return response.status === 200
  }
  throw await responseError(response, {
    side: client.side,
    what: `cannot ask for the blob ${nameOf(client, question)}`,
  })
}

/** A target is asked with the right to push, so that one token serves what follows; on a source that would be refused. */
export function scopeOf({side}: RegistryClient, repository: string): string {
  return side === 'target' ? pushScope(repository) : pullScope(repository)
}
