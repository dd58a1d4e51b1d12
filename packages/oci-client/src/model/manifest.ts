import {digestOf, type Digest, type DigestAlgorithm} from './digest.js'
import {isJsonObject, parseDescriptor, stringsOf, type Descriptor, type JsonObject} from './descriptor.js'
import {MirrorError} from './error.js'
import {jsonShape} from './json-shape.js'
import {limits} from './limits.js'
import {isIndexType, isManifestType, mediaTypes} from './media-types.js'
import {refuseTwoMeanings} from './one-meaning.js'

interface ManifestBase {
  /** Media type, digest and size of `bytes`, computed from them. */
  readonly descriptor: Descriptor
  /** Exactly as found, never re-serialised, because the digest is the digest of these bytes. */
  readonly bytes: Uint8Array
  /** The `mediaType` in the bytes, which is optional in OCI manifests. */
  readonly statedType?: string
  readonly subject?: Descriptor
  readonly artifactType?: string
  /** Present only with a subject: the index under a referrers tag repeats them. */
  readonly annotations?: Readonly<Record<string, string>>
}

/** An image or an artifact. Its layers include foreign ones. */
export interface ImageManifest extends ManifestBase {
  readonly kind: 'image'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** An OCI index or a Docker manifest list: manifests, most often one for each platform. */
export interface IndexManifest extends ManifestBase {
  readonly kind: 'index'
  readonly children: readonly Descriptor[]
}

/** A parsed manifest with its exact bytes. `kind` tells an image from an index. */
export type Manifest = ImageManifest | IndexManifest

export interface ParseManifestOptions {
  /** Media type in the descriptor or the Content-Type. The manifest's own `mediaType` overrides it. */
  readonly mediaType?: string
  readonly algorithm?: DigestAlgorithm
}

/**
 * Parses an OCI or Docker schema 2 manifest or index.
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (size, count), SOURCE_UNSUPPORTED (Docker schema 1)
 */
export function parseManifest(bytes: Uint8Array, options: ParseManifestOptions = {}): Manifest {
  if (bytes.length > limits.manifestBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `a manifest of ${bytes.length} bytes is over the limit of ${limits.manifestBytes}`,
    )
  }
  const json = parseJsonObject(bytes, 'manifest')
  if (json['schemaVersion'] === 1) {
    throw new MirrorError('SOURCE_UNSUPPORTED', 'Docker schema 1 manifests are not supported', {
      advice: {kind: 'save-with-current-tool'},
    })
  }
  // A registry might read it as the other kind, and then store or run different content (CVE-2021-41190).
  if (Array.isArray(json['manifests']) && (Array.isArray(json['layers']) || isJsonObject(json['config']))) {
    throw new MirrorError('MANIFEST_INVALID', 'a manifest is an image and an index at once')
  }
  refuseTwoMeanings(json)
  const mediaType = mediaTypeOf(json, options.mediaType)
  const subject =
    json['subject'] === undefined || json['subject'] === null
      ? undefined
      : parseDescriptor(json['subject'], 'subject')
  const {annotations} = json
  const base = {
    descriptor: {mediaType, digest: digestOf(bytes, options.algorithm), size: bytes.length},
    bytes,
    statedType: json['mediaType'] === mediaType ? mediaType : undefined,
    subject,
    artifactType: typeof json['artifactType'] === 'string' ? json['artifactType'] : undefined,
    annotations: subject !== undefined && isJsonObject(annotations) ? stringsOf(annotations) : undefined,
  }
  if (isIndexType(mediaType))
    return {...base, kind: 'index', children: descriptors(json['manifests'] ?? [], 'manifests')}
  if (isManifestType(mediaType)) {
    return {
      ...base,
      kind: 'image',
      config: parseDescriptor(json['config'], 'config'),
      layers: descriptors(json['layers'] ?? [], 'layers'),
    }
  }
  throw new MirrorError(
    'MANIFEST_INVALID',
    `unknown manifest type ${JSON.stringify(mediaType.slice(0, 100))}`,
    ARTIFACT_MANIFESTS.has(mediaType) ? {advice: {kind: 'store-artifact-again'}} : {},
  )
}

/** Kinds of manifests that drafts had, of OCI 1.1 and of ORAS. */
const ARTIFACT_MANIFESTS: ReadonlySet<string> = new Set([
  'application/vnd.oci.artifact.manifest.v1+json',
  'application/vnd.cncf.oras.artifact.manifest.v1+json',
])

/** @throws {MirrorError} MANIFEST_INVALID if the bytes are not a JSON object, LIMIT_EXCEEDED if it nests too deep */
export function parseJsonObject(
  bytes: Uint8Array,
  what: string,
  options: {
    /** False for configs: an author's name may be in Latin-1, and the bytes are stored as they are. Default true. */
    readonly strict?: boolean
  } = {},
): JsonObject {
  if (jsonShape(bytes).depth > limits.jsonDepth) {
    throw new MirrorError('LIMIT_EXCEEDED', `${what} nests over ${limits.jsonDepth} levels deep`)
  }
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', {fatal: options.strict ?? true}).decode(bytes))
  } catch (cause) {
    throw new MirrorError('MANIFEST_INVALID', `${what} is not JSON`, {cause})
  }
  if (!isJsonObject(json)) throw new MirrorError('MANIFEST_INVALID', `${what} is not a JSON object`)
  return json
}

/**
 * Returns the content that a repository must have before this manifest: the manifests of an index, the blobs of an
 * image.
 */
export function childrenOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.children : [manifest.config, ...manifest.layers]
}

export function sameDigest(left: {digest: Digest}, right: {digest: Digest} | undefined): boolean {
  return left.digest === right?.digest
}

function mediaTypeOf(json: JsonObject, given: string | undefined): string {
  if (typeof json['mediaType'] === 'string' && json['mediaType'] !== '') return json['mediaType']
  if (given !== undefined && (isIndexType(given) || isManifestType(given))) return given
  return 'manifests' in json ? mediaTypes.ociIndex : mediaTypes.ociManifest
}

function descriptors(value: unknown, field: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new MirrorError('MANIFEST_INVALID', `${field} is not a list`)
  if (value.length > limits.descriptorsPerManifest) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${value.length} ${field} are over the limit of ${limits.descriptorsPerManifest}`,
    )
  }
  return value.map((entry, index) => parseDescriptor(entry, `${field}[${index}]`))
}
