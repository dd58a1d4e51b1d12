import {
  digestOf,
  isDigest,
  isJsonObject,
  isTag,
  limits,
  MirrorError,
  type Descriptor,
  type JsonObject,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {FileTree} from '../files/file-tree.js'
import {fitName} from '../names/fit-name.js'
import {referenceIn} from '../names/recorded-name.js'
import {remember, rememberBytes, type ContentTable} from '../contents/content-table.js'
import type {Format} from './format.js'
import type {ReadContext} from './read-context.js'
import {invalid} from '../contents/read-json.js'

const LAYER_NAME = /^sha256-([0-9a-f]{64})(?:\.tar(?:\.gz)?)?$/

/** Returns true if JSON is the manifest.json of `imgpkg copy --to-tar`. */
function isImgpkgManifest(json: unknown): json is readonly JsonObject[] {
  return (
    Array.isArray(json) &&
    json.length > 0 &&
    json.every(
      (item) => isJsonObject(item) && (isJsonObject(item['Image']) || isJsonObject(item['ImageIndex'])),
    )
  )
}

export const imgpkg: Format = {
  name: 'imgpkg',
  detect: async (root) => isImgpkgManifest((await root.manifestJson())?.json),
  read: async (root, context) => {
    const json = (await root.manifestJson())?.json
    if (!isImgpkgManifest(json)) throw invalid(root.tree.name, 'has no manifest.json of imgpkg')
    return {
      images: readImgpkg(root.tree, json, context),
      producer: 'imgpkg',
      uses: (path) => path === 'manifest.json' || LAYER_NAME.test(path),
    }
  },
}

/**
 * Reads imgpkg tars: original manifests and configs inside manifest.json, layers beside it.
 * @throws {MirrorError} MANIFEST_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED
 */
function readImgpkg(
  tree: FileTree,
  items: readonly JsonObject[],
  context: ReadContext,
): readonly SourceImage[] {
  for (const {path, kind} of tree.entries) {
    const hex = LAYER_NAME.exec(path)?.[1]
    const file = hex === undefined || kind === 'directory' ? undefined : tree.find(path)
    if (file !== undefined) remember(context.table.blobs, `sha256:${hex}`, file)
  }
  const where = `${tree.name}: manifest.json`
  return items.flatMap((item, index): SourceImage[] => {
    const reader = {table: context.table, where: `${where}[${index}]`}
    const image = isJsonObject(item['Image']) ? item['Image'] : undefined
    const found = image ?? item['ImageIndex']
    if (!isJsonObject(found)) throw invalid(reader.where, 'holds no image')
    const descriptor =
      image === undefined ? keepIndex(found, {...reader, depth: 0}) : keepImage(image, reader)
    const names = namesOf(found, descriptor)
    return names.length === 0
      ? [{shownAs: context.shownAs, root: {manifest: descriptor}}]
      : names.map((name) => namedImage(name, descriptor))
  })
}

function namedImage(name: Reference, manifest: Descriptor): SourceImage {
  return {
    ...fitName(name, manifest.digest),
    root: {manifest},
  }
}

interface Reader {
  readonly table: ContentTable
  readonly where: string
}

function keepImage(image: JsonObject, reader: Reader): Descriptor {
  keepRaw(image['Config'], {...reader, where: `${reader.where}.Config`})
  return keepRaw(image['Manifest'], {...reader, where: `${reader.where}.Manifest`})
}

function keepIndex(index: JsonObject, reader: Reader & {readonly depth: number}): Descriptor {
  if (reader.depth > limits.indexDepth) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${reader.where} holds indexes deeper than ${limits.indexDepth} levels`,
      {side: 'source'},
    )
  }
  for (const image of objects(index['Images'])) {
    keepImage(isJsonObject(image['Image']) ? image['Image'] : image, reader)
  }
  for (const inner of objects(index['Indexes'])) {
    const nested = isJsonObject(inner['ImageIndex']) ? inner['ImageIndex'] : inner
    keepIndex(nested, {...reader, depth: reader.depth + 1})
  }
  return keepRaw(index, reader)
}

/** Keeps a document embedded in manifest.json as text, after checking the digest beside it. */
function keepRaw(value: unknown, {table, where}: Reader): Descriptor {
  if (!isJsonObject(value) || typeof value['Raw'] !== 'string') throw invalid(where, 'has no Raw text')
  const {Digest: digest, MediaType: mediaType} = value
  if (!isDigest(digest)) throw invalid(where, 'has no valid Digest')
  const bytes = Buffer.from(value['Raw'])
  const actual = digestOf(bytes)
  if (actual !== digest) {
    throw new MirrorError('DIGEST_MISMATCH', `${where} has the digest ${actual}, not ${digest}`, {
      side: 'source',
      advice: {kind: 'make-again'},
    })
  }
  rememberBytes(table, digest, bytes)
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : 'application/octet-stream',
    digest,
    size: bytes.length,
  }
}

/** `Refs` are by digest; the tag is beside them, or in the reference that the user typed. */
function namesOf(item: JsonObject, {digest}: Descriptor): readonly Reference[] {
  const original = referenceIn(text(item['OrigRef']))
  const refs = (Array.isArray(item['Refs']) ? item['Refs'] : [])
    .map((ref: unknown) => referenceIn(text(ref)))
    .filter((ref) => ref !== undefined)
  const tag = text(item['Tag'])
  if (refs.length === 0 && original !== undefined) refs.push({...original, digest: original.digest ?? digest})
  return refs.map((ref) => {
    const same = original?.registry === ref.registry && original.repository === ref.repository
    const chosen = tag !== undefined && isTag(tag) ? tag : (ref.tag ?? (same ? original.tag : undefined))
    return chosen === undefined ? ref : withTag(ref, chosen)
  })
}

function withTag(ref: Reference, tag: string): Reference {
  return {...ref, tag}
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : []
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
