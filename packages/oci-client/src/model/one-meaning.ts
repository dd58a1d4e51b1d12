import {MirrorError} from './error.js'
import {isJsonObject, type JsonObject} from './descriptor.js'

/** Keys that programs know in manifests and descriptors. Programs in Go read them in any case, and take the last one. */
const KNOWN = new Map(
  ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'subject', 'annotations']
    .concat(['digest', 'size', 'urls', 'data', 'platform', 'os', 'architecture', 'variant'])
    .map((key) => [folded(key), key]),
)

/**
 * Refuses a manifest that two programs would read as different ones: keys that are known but for their case, and one digest
 * with two sizes.
 * @throws {MirrorError} MANIFEST_INVALID
 */
export function refuseTwoMeanings(manifest: JsonObject): void {
  const lists = [manifest['layers'], manifest['manifests']].filter((list) => Array.isArray(list)).flat()
  const descriptors = [manifest['config'], manifest['subject'], ...lists].filter(isJsonObject)
  const platforms = descriptors.map((descriptor) => descriptor['platform']).filter(isJsonObject)
  for (const object of [manifest, ...descriptors, ...platforms]) refuseOtherCase(object)
  const sizes = new Map<unknown, unknown>()
  for (const {digest, size} of descriptors) {
    if (sizes.has(digest) && sizes.get(digest) !== size) {
      throw new MirrorError(
        'MANIFEST_INVALID',
        `a manifest has two sizes for ${JSON.stringify(digest).slice(0, 200)}`,
      )
    }
    sizes.set(digest, size)
  }
}

function refuseOtherCase(object: JsonObject): void {
  for (const key of Object.keys(object)) {
    const known = KNOWN.get(folded(key))
    if (known !== undefined && known !== key) {
      const shown = JSON.stringify(key.slice(0, 100))
      throw new MirrorError(
        'MANIFEST_INVALID',
        `a manifest has the key ${shown}, which some programs read as ${known}`,
      )
    }
  }
}

/** Also the long s and the Kelvin sign, which fold to letters of ASCII. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}
