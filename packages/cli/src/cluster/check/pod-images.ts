import {isJsonObject, jsonShape, limits, MirrorError, type JsonObject} from '@airgap-mirror/oci-client/model'
import {readYamlDocuments} from '../yaml/read-yaml-documents.js'
import {plainValue} from '../yaml/yaml-node.js'

const POD_SPECS = [
  ['spec'],
  ['template', 'spec'],
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
] as const

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/**
 * The images of pods and of everything that makes pods, each once and as it is written, in the order of the file: of lists as
 * kubectl writes them, Deployments, CronJobs, static pod files. YAML or JSON, one document or several.
 * @throws {MirrorError} CONFIG_INVALID if it cannot be read or holds no pod, LIMIT_EXCEEDED
 */
export function podImages(text: string, {name}: {readonly name: string}): readonly string[] {
  const specs = documentsIn(text, name).flatMap((document) => podSpecsIn(document, 0))
  if (specs.length === 0)
    throw new MirrorError('CONFIG_INVALID', `${name} holds no pod, and nothing that makes pods`, {
      hint: 'Give the output of "kubectl get pods -A -o json", or manifests.',
    })
  return [...new Set(specs.flatMap(imagesOf))]
}

function documentsIn(text: string, name: string): readonly unknown[] {
  if (/^\s*\{/.test(text)) {
    const {values, depth} = jsonShape(Buffer.from(text))
    if (values > limits.podListValues || depth > limits.jsonDepth)
      throw new MirrorError('LIMIT_EXCEEDED', `${name} has too many values, or nests them too deeply`)
    try {
      return [JSON.parse(text) as unknown]
    } catch {
      // YAML may begin with a brace too
    }
  }
  if (text.length > limits.listBytes)
    throw new MirrorError('LIMIT_EXCEEDED', `${name} is YAML of over ${limits.listBytes} bytes`, {
      hint: 'Give it as JSON, with "-o json".',
    })
  const reading = readYamlDocuments(text)
  if (reading.documents !== undefined) return reading.documents.map(plainValue)
  throw new MirrorError('CONFIG_INVALID', `${name}:${reading.fault.line}: ${reading.fault.message}`)
}

function podSpecsIn(value: unknown, depth: number): readonly JsonObject[] {
  if (!isJsonObject(value) || depth > limits.jsonDepth) return []
  const {items} = value
  if (Array.isArray(items)) return items.flatMap((item) => podSpecsIn(item, depth + 1))
  return POD_SPECS.flatMap((path) => {
    const spec = objectAt(value, path)
    return spec !== undefined && CONTAINERS.some((key) => Array.isArray(spec[key])) ? [spec] : []
  })
}

function objectAt(value: JsonObject, path: readonly string[]): JsonObject | undefined {
  let found: unknown = value
  for (const key of path) found = isJsonObject(found) ? found[key] : undefined
  return isJsonObject(found) ? found : undefined
}

/** Images of containers, and of volumes of the kind `image`. */
function imagesOf(spec: JsonObject): readonly string[] {
  const listed = (key: string): readonly JsonObject[] => {
    const list = spec[key]
    return Array.isArray(list) ? list.filter(isJsonObject) : []
  }
  const images = [
    ...CONTAINERS.flatMap((key) => listed(key).map(({image}) => image)),
    ...listed('volumes').map(({image}) => (isJsonObject(image) ? image['reference'] : undefined)),
  ]
  return images.filter((image): image is string => typeof image === 'string' && image !== '')
}
