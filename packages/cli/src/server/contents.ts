import {
  isDigest,
  isForeignLayerType,
  isIndexType,
  isJsonObject,
  isManifestType,
  limits,
  type Digest,
  type JsonObject,
} from '@airgap-mirror/oci-client/model'
import {Refusal} from './refusal.js'

interface Child {
  readonly digest: Digest
  readonly size: number
  /** Foreign layers stay where their `urls` say. */
  readonly foreign: boolean
  /** A layer, a config or a file in an index: distribution looks for children of an index among blobs, too. */
  readonly isBlob: boolean
}

/** A parsed manifest. The server has its own parser, so that it does not repeat the mistakes of the client. */
export interface Contents {
  readonly isIndex: boolean
  readonly children: readonly Child[]
  readonly subject: Digest | undefined
  readonly json: JsonObject
}

/** @throws {Refusal} MANIFEST_INVALID */
export function parseContents(bytes: Uint8Array, mediaType: string): Contents {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw invalid('manifest is not JSON')
  }
  if (!isJsonObject(json) || json['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2')
  const declared = json['mediaType']
  if (declared !== undefined && declared !== mediaType)
    throw invalid(`mediaType is not the Content-Type ${mediaType}`)
  const isIndex = isIndexType(mediaType)
  if (!isIndex && !isManifestType(mediaType)) throw invalid(`unknown media type ${mediaType}`)
  const listed = isIndex ? json['manifests'] : [json['config'], ...listOf(json['layers'] ?? [])]
  const subject = json['subject']
  return {
    isIndex,
    children: listOf(listed).map((entry) => parseChild(entry, {isIndex})),
    subject: isJsonObject(subject) ? parseChild(subject, {isIndex: true}).digest : undefined,
    json,
  }
}

function parseChild(value: unknown, {isIndex}: {readonly isIndex: boolean}): Child {
  const {digest, size, urls, mediaType} = isJsonObject(value) ? value : {}
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid('a descriptor has no valid digest and size')
  }
  return {
    digest,
    size,
    isBlob: !isIndex || !/manifest|index/.test(String(mediaType)),
    foreign: isForeignLayerType(String(mediaType)) || (Array.isArray(urls) && urls.length > 0),
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid('a list of descriptors is missing')
  if (value.length > limits.descriptorsPerManifest) throw invalid('a list of descriptors is too long')
  return value
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'MANIFEST_INVALID', message)
}
