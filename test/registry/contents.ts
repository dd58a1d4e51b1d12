import {
  isDigest,
  isForeignLayerType,
  isIndexType,
  isJsonObject,
  isManifestType,
  type Digest,
  type JsonObject,
} from '@airgap-mirror/oci-client/model'
import {Refusal} from './refusal.js'
import type {RegistryState, Repository} from './state.js'

interface Child {
  readonly digest: Digest
  readonly size: number
  /** Foreign layers stay where their `urls` say. */
  readonly foreign: boolean
  /** A layer, a config or a file in an index: distribution looks for children of an index among blobs, too. */
  readonly isBlob: boolean
}

/** A parsed manifest. The registry has its own parser, so that it does not repeat the client's mistakes. */
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
    children: listOf(listed).map(parseChild),
    subject: isJsonObject(subject) ? parseChild(subject).digest : undefined,
    json,
  }
}

/** Sentences about everything below this manifest that is not there, or not as big as its descriptor says. */
export function missingBelow(
  contents: Contents,
  where: {readonly state: RegistryState; readonly repository: Repository; readonly name: string},
  seen: Set<Digest> = new Set(),
): readonly string[] {
  return contents.children.flatMap(({digest, size, foreign, isBlob}) => {
    const {state, repository, name} = where
    if (contents.isIndex && !isBlob) {
      const child = repository.manifests.get(digest)
      if (child === undefined) return [`${name}: manifest ${digest} is missing`]
      if (child.bytes.length !== size) return [`${name}: manifest ${digest} is not of ${size} bytes`]
      if (seen.has(digest)) return []
      seen.add(digest)
      return missingBelow(parseContents(child.bytes, child.mediaType), where, seen)
    }
    if (foreign && !repository.blobs.has(digest)) return []
    const stored = repository.blobs.has(digest) ? state.storage.size(digest) : undefined
    if (stored === undefined) return [`${name}: blob ${digest} is missing`]
    return stored === size ? [] : [`${name}: blob ${digest} has ${stored} bytes, not ${size}`]
  })
}

/** Every tag must lead to a manifest whose whole content is there. */
export function checkAll(state: RegistryState): readonly string[] {
  return [...state.repositories].flatMap(([name, repository]) =>
    [...repository.tags].flatMap(([tag, digest]) => {
      const manifest = repository.manifests.get(digest)
      if (manifest === undefined) return [`${name}:${tag}: manifest ${digest} is missing`]
      return missingBelow(parseContents(manifest.bytes, manifest.mediaType), {
        state,
        repository,
        name: `${name}:${tag}`,
      })
    }),
  )
}

function parseChild(value: unknown): Child {
  if (!isJsonObject(value) || !isDigest(value['digest']) || !Number.isSafeInteger(value['size'])) {
    throw invalid('a descriptor has no valid digest and size')
  }
  const urls = value['urls']
  return {
    digest: value['digest'],
    size: value['size'] as number,
    isBlob: !/manifest|index/.test(String(value['mediaType'])),
    foreign: isForeignLayerType(String(value['mediaType'])) || (Array.isArray(urls) && urls.length > 0),
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid('a list of descriptors is missing')
  return value
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'MANIFEST_INVALID', message)
}
