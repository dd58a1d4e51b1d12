import {
  isDigest,
  isJsonObject,
  limits,
  parseDescriptor,
  type Descriptor,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import {invalid} from '../contents/read-json.js'

/** An image of a docker-archive's manifest.json. Paths are clean paths in the archive. */
export interface DockerItem {
  /** For messages: its first name, else its config. */
  readonly label: string
  readonly config: string
  readonly repoTags: readonly string[]
  readonly layers: readonly string[]
  /** docker: the registry's descriptors of layers, by diff ID; the only trace of foreign layers. */
  readonly layerSources: ReadonlyMap<Digest, Descriptor>
}

const LABEL_LENGTH = 200

/** Returns true if JSON is meant to be a docker-archive's manifest.json; an empty list counts. */
export function isDockerManifest(json: unknown): json is readonly unknown[] {
  return Array.isArray(json) && (json.length === 0 || (isJsonObject(json[0]) && 'Config' in json[0]))
}

/** @throws {MirrorError} MANIFEST_INVALID naming `where` and the field */
export function parseDockerItems(json: readonly unknown[], where: string): readonly DockerItem[] {
  return json.map((item, index) => {
    const at = `${where}[${index}]`
    if (!isJsonObject(item) || typeof item['Config'] !== 'string') throw invalid(at, 'has no Config')
    const repoTags = strings(item['RepoTags'], `${at}.RepoTags`)
    return {
      label: (repoTags[0] ?? item['Config']).slice(0, LABEL_LENGTH),
      config: cleanPath(item['Config']),
      repoTags,
      layers: strings(item['Layers'], `${at}.Layers`).map((path) => cleanPath(path)),
      layerSources: parseLayerSources(item['LayerSources'], `${at}.LayerSources`),
    }
  })
}

// Go writes an empty list as null.
function strings(value: unknown, where: string): readonly string[] {
  const list: unknown = value ?? []
  if (!Array.isArray(list) || list.length > limits.descriptorsPerManifest)
    throw invalid(where, 'is not a list')
  return list.map((text: unknown) => {
    if (typeof text !== 'string') throw invalid(where, 'holds something else than texts')
    return text
  })
}

function parseLayerSources(value: unknown, where: string): ReadonlyMap<Digest, Descriptor> {
  const sources = new Map<Digest, Descriptor>()
  if (!isJsonObject(value)) return sources
  for (const [diffId, source] of Object.entries(value)) {
    if (isDigest(diffId)) sources.set(diffId, parseDescriptor(source, `${where}[${diffId}]`))
  }
  return sources
}

function cleanPath(path: string): string {
  const done: string[] = []
  for (const component of path.split('/')) {
    if (component === '..') done.pop()
    else if (component !== '' && component !== '.') done.push(component)
  }
  return done.join('/')
}
