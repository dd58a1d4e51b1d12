import {
  isJsonObject,
  MirrorError,
  parseJsonObject,
  stringsOf,
  type Descriptor,
  type JsonObject,
} from '@airgap-mirror/oci-client/model'
import {annotationKeys} from '../names/recorded-name.js'

/** An image's entry in index.json. */
export interface LayoutEntry {
  readonly descriptor: Descriptor
  /** Empty for an image without a name. */
  readonly annotations: Readonly<Record<string, string>>
}

/** A layout's index.json with its other fields kept. */
export interface LayoutIndex {
  readonly json: JsonObject
  readonly manifests: readonly JsonObject[]
}

export const emptyIndex: LayoutIndex = {json: {schemaVersion: 2}, manifests: []}

/** @throws {MirrorError} MANIFEST_INVALID on the target's side */
export function parseLayoutIndex(bytes: Uint8Array, path: string): LayoutIndex {
  try {
    const json = parseJsonObject(bytes, 'index.json')
    // Go writes an empty list as null.
    const manifests: unknown = json['manifests'] ?? []
    if (Array.isArray(manifests) && manifests.every((entry) => isJsonObject(entry))) return {json, manifests}
    throw new MirrorError('MANIFEST_INVALID', 'index.json has no list of manifests')
  } catch (cause) {
    throw new MirrorError('MANIFEST_INVALID', `${path} holds a damaged OCI layout`, {
      side: 'target',
      advice: {kind: 'use-another-directory'},
      cause,
    })
  }
}

/** Returns the entry with the name in these annotations. */
export function findEntry(
  {manifests}: LayoutIndex,
  annotations: LayoutEntry['annotations'],
): JsonObject | undefined {
  return hasName(annotations) ? manifests.find((entry) => isNamed(entry, annotations)) : undefined
}

/** Returns the index with entries added. Each replaces the entries of its name, and nameless entries of the same image. */
export function withEntries(index: LayoutIndex, entries: readonly LayoutEntry[]): LayoutIndex {
  const manifests = [...index.manifests]
  for (const entry of entries) {
    const {descriptor, annotations} = entry
    const replaces = (other: JsonObject): boolean =>
      isNamed(other, annotations) || (other['digest'] === descriptor.digest && !hasName(namesOf(other)))
    const first = manifests.findIndex(replaces)
    const kept = manifests.filter((other, place) => place < first || !replaces(other))
    manifests.splice(0, Infinity, ...kept.toSpliced(first < 0 ? kept.length : first, 0, jsonOf(entry)))
  }
  return {...index, manifests}
}

/** Returns the index without the entries whose names match. */
export function withoutEntries(
  index: LayoutIndex,
  isGone: (names: readonly string[]) => boolean,
): LayoutIndex {
  const manifests = index.manifests.filter((entry) => {
    const names = namesOf(entry)
    return !isGone(NAMES.flatMap((key) => names[key] ?? []))
  })
  return {...index, manifests}
}

/** Returns the bytes of index.json. */
export function layoutIndexBytes({json, manifests}: LayoutIndex): Uint8Array {
  return Buffer.from(JSON.stringify({...json, manifests}))
}

const NAMES = [annotationKeys.containerdName, annotationKeys.refName] as const

function hasName(annotations: LayoutEntry['annotations']): boolean {
  return NAMES.some((key) => annotations[key] !== undefined)
}

// Compares full names first, because containerd's tags beside them are not unique.
function isNamed(entry: JsonObject, annotations: LayoutEntry['annotations']): boolean {
  const key = NAMES.find((name) => annotations[name] !== undefined)
  return key !== undefined && namesOf(entry)[key] === annotations[key]
}

/** Another program may have written annotations that are no strings: they are no names. */
function namesOf({annotations}: JsonObject): Readonly<Record<string, string>> {
  return isJsonObject(annotations) ? stringsOf(annotations) : {}
}

function jsonOf({descriptor, annotations}: LayoutEntry): JsonObject {
  const {mediaType, digest, size, artifactType} = descriptor
  return {
    mediaType,
    digest,
    size,
    artifactType,
    annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  }
}
