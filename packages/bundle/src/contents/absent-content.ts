import {
  digestOf,
  isJsonObject,
  limits,
  MirrorError,
  parseDescriptor,
  parseJsonObject,
  type Descriptor,
} from '@airgap-mirror/oci-client/model'

/**
 * Media type of the list of blobs that a delta bundle leaves out, as described by index.json. A later version may tell
 * how to make an absent layer from an older one. So a reader refuses versions it does not know.
 */
const ABSENT_CONTENT = 'application/vnd.airgap-mirror.absent.v1+json'

const ANY_VERSION = /^application\/vnd\.airgap-mirror\.absent\.v\d+\+json$/

/** Returns true for a descriptor of such a list, in any version. */
export function isAbsentContent({mediaType}: {readonly mediaType: string}): boolean {
  return ANY_VERSION.test(mediaType)
}

/** Returns the list as a blob, with the same bytes for the same content. */
export function formatAbsentContent(absent: readonly Descriptor[]): {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
} {
  const listed = absent
    .toSorted((left, right) => (left.digest < right.digest ? -1 : 1))
    .map(({mediaType, digest, size}) => ({mediaType, digest, size}))
  const bytes = Buffer.from(JSON.stringify({mediaType: ABSENT_CONTENT, absent: listed}))
  return {descriptor: {mediaType: ABSENT_CONTENT, digest: digestOf(bytes), size: bytes.length}, bytes}
}

/** @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED, SOURCE_UNSUPPORTED for another version */
export function parseAbsentContent(bytes: Uint8Array, {mediaType}: Descriptor): readonly Descriptor[] {
  if (mediaType !== ABSENT_CONTENT) {
    throw new MirrorError('SOURCE_UNSUPPORTED', `the delta bundle is of another version: ${mediaType}`, {
      side: 'source',
      advice: {kind: 'use-writing-version'},
    })
  }
  const {absent} = parseJsonObject(bytes, 'the list of absent content')
  if (!Array.isArray(absent) || !absent.every(isJsonObject)) {
    throw new MirrorError('MANIFEST_INVALID', 'the list of absent content has no list of descriptors', {
      side: 'source',
    })
  }
  if (absent.length > limits.absentContent) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `the bundle leaves out ${absent.length} blobs: over the limit of ${limits.absentContent}`,
      {side: 'source'},
    )
  }
  return absent.map((entry, index) => parseDescriptor(entry, `absent[${index}]`))
}
