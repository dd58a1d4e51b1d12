import {
  isJsonObject,
  MirrorError,
  parseJsonObject,
  parseReference,
  type JsonObject,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {MappedImage} from '../../cluster/emit/mapping.js'
import type {NamingRules} from '../../names/naming.js'
import {parseRegistryTarget} from '../../names/registry-target.js'

const ARRIVED: ReadonlySet<unknown> = new Set(['pushed', 'present', 'planned'])

interface ReportOptions {
  readonly name: string
  /** Absent: the report names the registry. */
  readonly rules: NamingRules | undefined
  readonly warn: (text: string) => void
}

interface ReportMapping {
  readonly images: readonly MappedImage[]
  /** Images with a name that did not arrive. */
  readonly absent: readonly Reference[]
  readonly rules: NamingRules
}

/**
 * The images that a report says are in the private registry.
 * @throws {MirrorError} CONFIG_INVALID if it is not a report; USAGE if it does not say which of several registries is meant
 */
export function readReportMapping(text: string, {name, rules, warn}: ReportOptions): ReportMapping {
  const {target, images} = parseReport(text, name)
  const {registry, namespace} = rules ?? registryOf(target, name)
  const mapped: MappedImage[] = []
  const absent: Reference[] = []
  let left = 0
  for (const {source, target: place, status} of images) {
    if (!place.startsWith(`${registry}/`)) continue
    const named = sourceOf(source)
    const hasArrived = ARRIVED.has(status)
    if (named !== undefined && hasArrived) mapped.push({source: named, target: placeOf(place, registry)})
    else left++
    if (named !== undefined && !hasArrived) absent.push(named)
  }
  if (left > 0)
    warn(`${name}: ${left} images are left out because they have no name or are not in ${registry}`)
  if (mapped.length === 0) throw notAReport(name, {why: `it names no image that is in ${registry}`})
  const noRules = {mapHost: 'drop', rewrites: [], map: new Map(), maxDepth: undefined} as const
  return {images: mapped, absent, rules: rules ?? {registry, namespace, ...noRules}}
}

interface Row {
  readonly source: string
  readonly target: string
  readonly status: unknown
}

function parseReport(text: string, name: string): {readonly target: string; readonly images: readonly Row[]} {
  let report: JsonObject
  try {
    report = parseJsonObject(Buffer.from(text), name)
  } catch (cause) {
    throw notAReport(name, {why: 'it is not a JSON object', cause})
  }
  const {schema, target, images} = report
  if (schema !== 'mirror.report/v1') throw notAReport(name, {why: 'its schema is not mirror.report/v1'})
  if (typeof target !== 'string' || !Array.isArray(images)) {
    throw notAReport(name, {why: 'it lacks a target or images'})
  }
  return {target, images: images.map((image) => rowOf(image, name))}
}

function rowOf(image: unknown, name: string): Row {
  if (!isJsonObject(image)) throw notAReport(name, {why: 'one of its images is not an object'})
  const {source, target, status} = image
  if (typeof source === 'string' && typeof target === 'string') return {source, target, status}
  throw notAReport(name, {why: 'one of its images lacks a source or a target'})
}

function registryOf(target: string, name: string): {registry: string; namespace: string} {
  try {
    return parseRegistryTarget(target)
  } catch (cause) {
    throw new MirrorError('USAGE', `${name} is not about one private registry`, {
      hint: 'Name the one that nodes are to use with --private-registry.',
      cause,
    })
  }
}

/** Absent for an image that its bundle has no name for. */
function sourceOf(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}

/** A registry without a dot or a port in its name would not be seen as one. */
function placeOf(text: string, registry: string): Reference {
  return {...parseReference(`registry.invalid/${text.slice(registry.length + 1)}`), registry}
}

function notAReport(
  name: string,
  {why, cause}: {readonly why: string; readonly cause?: unknown},
): MirrorError {
  return new MirrorError('CONFIG_INVALID', `${name} is not a report of a push or a sync: ${why}`, {
    hint: 'Name a file that --report wrote.',
    cause,
  })
}
