import {parseContentRange} from './content-range.js'
import {DAMAGED} from './side-error.js'
import {nameOf, urlOf, type RegistryClient} from './client.js'
import {endpoints} from './endpoints.js'
import {scopeOf} from './scope.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {
  MirrorError,
  type Bytes,
  type CallOptions,
  type Descriptor,
  type Place,
  type Side,
  defined,
} from '../model/index.js'

/** The rest of a blob, as it arrives. */
export interface BlobPart {
  readonly body: Bytes
  /** Bytes at its start that are already there: a server without ranges begins at zero. */
  readonly skip: number
}

export interface OpenPart extends CallOptions {
  readonly place: Place
  readonly content: Descriptor
  /** Bytes that are there already. */
  readonly position: number
  /** False if the server was seen to answer ranges wrongly. */
  readonly ranges: boolean
}

/**
 * Asks for a blob from `position` on. Always begins at the registry, because the address in its redirect soon expires.
 * Returns 'no ranges' if the server gives another part than requested.
 * @throws {MirrorError} BLOB_MISSING, DIGEST_MISMATCH if the length differs, and the errors of the registry
 */
export async function openPart(
  client: RegistryClient,
  {place, content, position, ranges, signal}: OpenPart,
): Promise<BlobPart | 'no ranges'> {
  const {repository} = place
  const asksPart = position > 0 && ranges
  const response = await client.send({
    method: 'GET',
    url: urlOf(client, endpoints.blob(repository, content.digest)),
    headers: defined({range: asksPart ? `bytes=${position}-` : undefined}),
    signal,
    scopes: [scopeOf(client, repository)],
  })
  const {status, body} = response
  const reference = nameOf(client, {repository, digest: content.digest})
  if (status === 200) {
    await checkLength(response, {content, reference, side: client.side})
    return {body, skip: position}
  }
  if (asksPart && status === 206 && isPartFrom(position, {response, content})) return {body, skip: 0}
  if (asksPart && (status === 206 || status === 416)) {
    await response.discard()
    return 'no ranges'
  }
  if (status === 404 || status === 410) {
    await response.discard()
    throw new MirrorError('BLOB_MISSING', `the registry lacks the blob ${reference}`, {
      side: client.side,
      advice: {kind: 'complete-at-registry'},
    })
  }
  throw await responseError(response, {side: client.side, what: `cannot read the blob ${reference}`})
}

function isPartFrom(
  position: number,
  {response, content}: {readonly response: HttpResponse; readonly content: Descriptor},
): boolean {
  const range = parseContentRange(response.header('content-range'))
  return (
    range?.start === position && range.end <= content.size && (range.total ?? content.size) === content.size
  )
}

/** Rejects a wrong length before the first byte rather than after the last. */
async function checkLength(
  response: HttpResponse,
  {content, reference, side}: {readonly content: Descriptor; readonly reference: string; readonly side: Side},
): Promise<void> {
  const length = response.header('content-length')
  if (length === undefined || length === String(content.size)) return
  await response.discard()
  const encoding = response.header('content-encoding')
  const packed = encoding !== undefined && encoding !== 'identity'
  throw new MirrorError(
    'DIGEST_MISMATCH',
    `${reference} has ${Number(length)} bytes at the registry, not ${content.size}`,
    {
      side,
      advice: packed ? {kind: 'switch-off-compression'} : DAMAGED,
    },
  )
}
