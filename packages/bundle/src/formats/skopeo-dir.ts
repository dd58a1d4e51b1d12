import {
  digestOf,
  isDigest,
  isJsonObject,
  limits,
  parseManifest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {remember, rememberBytes} from '../contents/content-table.js'
import {fitName} from '../names/fit-name.js'
import {referenceIn} from '../names/recorded-name.js'
import type {Format} from './format.js'
import type {ReadContext} from './read-context.js'
import {invalid, readJson} from '../contents/read-json.js'

/** Blobs and the manifests of an index's children; skopeo before 0.1.28 wrote layers as `<hex>.tar`. */
const BLOB_NAME = /^([0-9a-f]+)(?:\.manifest\.json|\.tar)?$/

const OWN = /^(?:manifest\.json|version|signature-\d+)$/

/** skopeo's `dir:`, unpacked or in a tar: a single image, without a name unless its directory has a full one. */
export const skopeoDir: Format = {
  name: 'skopeo-dir',
  detect: async (root) => {
    const json = (await root.manifestJson())?.json
    return isJsonObject(json) && 'schemaVersion' in json
  },
  read: async ({tree}, context) => {
    const file = tree.find('manifest.json')
    if (file === undefined) throw invalid(tree.name, 'has no manifest.json')
    const {bytes} = await readJson(file, {limit: limits.manifestBytes, signal: context.signal})
    const {descriptor} = parseManifest(bytes)
    rememberBytes(context.table, digestOf(bytes), bytes)
    for (const {path, kind} of tree.entries) {
      const hex = BLOB_NAME.exec(path)?.[1]
      if (hex === undefined || kind === 'directory') continue
      const digest = `${hex.length === 128 ? 'sha512' : 'sha256'}:${hex}`
      const blob = isDigest(digest) ? tree.find(path) : undefined
      if (blob !== undefined && isDigest(digest)) remember(context.table.blobs, digest, blob)
    }
    const {shownAs} = context
    const name = scopedName(context)
    const named = name === undefined ? {shownAs} : fitName(name, descriptor.digest)
    return {
      images: [{...named, root: {manifest: descriptor}}],
      producer: 'containers-image',
      uses: (path) => OWN.test(path) || BLOB_NAME.test(path),
    }
  },
}

/** `skopeo sync --scoped` puts each image into a directory whose path is the full name. */
function scopedName({nested, shownAs}: ReadContext): Reference | undefined {
  const isFull = nested && /^(?:localhost|[^/]*[.:][^/]*)\//.test(shownAs)
  const name = isFull ? referenceIn(shownAs) : undefined
  return name?.tag === undefined && name?.digest === undefined ? undefined : name
}
