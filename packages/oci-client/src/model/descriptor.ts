import {parseDigest, type Digest} from './digest.js'
import {MirrorError} from './error.js'
import {limits} from './limits.js'

/** The platform of an image, with the names that Go uses: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly osVersion?: string
}

/** A manifest's pointer to other content (image-spec descriptor.md). `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly artifactType?: string
  readonly platform?: Platform
  readonly urls?: readonly string[]
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws {MirrorError} MANIFEST_INVALID naming `where` and the field, LIMIT_EXCEEDED for its size */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isJsonObject(value)) throw invalid(where, 'is not an object')
  const {mediaType, size, annotations, artifactType, platform, urls} = value
  if (typeof mediaType !== 'string' || mediaType.length > 255) throw invalid(where, 'has no mediaType')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(where, 'has no valid size')
  if (size > limits.blobBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${where} has a size of ${size} bytes, over the limit of ${limits.blobBytes}`,
    )
  }
  let digest: Digest
  try {
    digest = parseDigest(value['digest'])
  } catch (cause) {
    throw invalid(where, 'has no valid digest', cause)
  }
  return {
    mediaType,
    digest,
    size,
    annotations: isJsonObject(annotations) ? stringsOf(annotations) : undefined,
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
    platform: isJsonObject(platform) ? parsePlatform(platform) : undefined,
    urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : undefined,
  }
}

/** Returns `os/arch[/variant]`, the form in which users write a platform. */
export function formatPlatform({os, architecture, variant}: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}

/** Returns undefined if neither the system nor the architecture is given: crane leaves both empty. */
function parsePlatform(value: JsonObject): Platform | undefined {
  const text = (field: string): string | undefined =>
    typeof value[field] === 'string' && value[field] !== '' ? value[field] : undefined
  const os = text('os')
  const architecture = text('architecture')
  if (os === undefined && architecture === undefined) return undefined
  const variant = text('variant')
  const osVersion = text('os.version')
  return {
    os: os ?? 'unknown',
    architecture: architecture ?? 'unknown',
    variant,
    osVersion,
  }
}

/** Returns the members that are strings, as all annotations should be. */
export function stringsOf(value: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function invalid(where: string, what: string, cause?: unknown): MirrorError {
  return new MirrorError('MANIFEST_INVALID', `${where} ${what}`, {cause})
}
