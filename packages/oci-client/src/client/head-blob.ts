import {nameOf, urlOf, type RegistryClient} from './client.js'
import {endpoints} from './endpoints.js'
import {asQuestion, leavesOpen} from './question.js'
import {readBlob} from './read-blob.js'
import {scopeOf} from './scope.js'
import {encodingOf} from '../http/decoded.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse, Send} from '../http/send.js'
import {isMirrorError, MirrorError, verified, type Descriptor, type Digest} from '../model/index.js'

export interface BlobQuestion {
  readonly repository: string
  readonly digest: Digest
  /** The size that the blob must have. Absent: any. */
  readonly size?: number
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
 * Returns true if the blob was there when asked. It may be gone by now. If the answer names another size than the
 * question, the blob is read: its bytes decide.
 * @throws {MirrorError} DIGEST_MISMATCH with the advice `replace-damaged-blob` if the bytes are wrong, and for any status
 * but 200 and 404; inconclusive if a target's answer tells nothing
 */
export async function hasBlob(client: RegistryClient, question: BlobQuestion): Promise<boolean> {
  const found = await asQuestion(client, () => askForBlob(client, question))
  const {size} = question
  if (found === undefined) return false
  if (size === undefined || found.length === undefined || found.length === size) return true
  return isWhole(client, {...question, size})
}

/** Returns undefined if the blob is absent. The length is that of the answer, if it names the blob's own. */
async function askForBlob(
  client: RegistryClient,
  question: BlobQuestion,
): Promise<{readonly length: number | undefined} | undefined> {
  const response = await headBlob(client, {...question, send: client.send})
  const {status} = response
  if (status === 200 || status === 404) {
    await response.discard()
    return status === 200 ? {length: lengthOf(response)} : undefined
  }
  throw await responseError(response, {
    side: client.side,
    what: `cannot ask for the blob ${nameOf(client, question)}`,
    inconclusive: leavesOpen(client, status),
  })
}

function lengthOf(response: HttpResponse): number | undefined {
  const length = response.header('content-length')
  return length === undefined || encodingOf(response) !== undefined ? undefined : Number(length)
}

/** Reads a blob whose length a registry, or a proxy in front of it, may have named wrongly. */
async function isWhole(
  client: RegistryClient,
  {repository, digest, size, signal}: BlobQuestion & {readonly size: number},
): Promise<boolean> {
  const content: Descriptor = {mediaType: 'application/octet-stream', digest, size}
  const place = {registry: client.registry, repository}
  const reading = readBlob(client, {place, content, at: {position: 0}, signal, onBytes: () => {}})
  try {
    for await (const _ of verified(reading, content, {what: `blob ${nameOf(client, {repository, digest})}`}));
    return true
  } catch (error) {
    if (!isMirrorError(error)) throw error
    if (error.code === 'BLOB_MISSING') return false
    const {code, message, advice} = error
    // Packed bytes tell nothing of those in the registry.
    if (code === 'DIGEST_MISMATCH' && advice?.kind !== 'switch-off-compression') {
      throw new MirrorError(code, message, {
        side: client.side,
        advice: {kind: 'replace-damaged-blob'},
        cause: error,
      })
    }
    return asQuestion(client, () => Promise.reject(error))
  }
}
