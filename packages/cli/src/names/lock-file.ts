import {formatPlatform, formatReference, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import {printable} from '../text/printable.js'
import type {LockedPart} from './locked-parts.js'

/** A reference as a run found it. */
export interface LockedImage {
  readonly reference: Reference
  readonly digest: Digest
  /** The bytes of its blobs, each once; absent if the run did not read all of its manifests. */
  readonly bytes?: number
  /** The manifests of the platforms, for an index. */
  readonly platforms: readonly LockedPart[]
}

const MARK = '# mirror.lock v1:'

const HEAD = [
  MARK +
    ' what each reference was when this was written. It is made for review, and is a list of images itself:',
  '# given to --images, every image is fetched by the digest here, wherever its tag points by then.',
]

/** Returns true for the text of a lock file. */
export function isLockFile(text: string): boolean {
  return text.replace(/^\uFEFF/, '').startsWith(MARK)
}

/**
 * A lock file: a line `reference@digest` for each image, with its platforms in comments below. Sorted, so that a difference in it
 * is one of the images.
 */
export function formatLockFile(images: readonly LockedImage[]): string {
  const byName = new Map(
    images.map((image) => [formatReference({...image.reference, digest: image.digest}), image]),
  )
  const lines = [...byName]
    .sort(([left], [right]) => compare(left, right))
    .flatMap(([name, {platforms, bytes}]) =>
      [name, ...(bytes === undefined ? [] : [`#   ${bytes} bytes`])].concat(
        platforms.map(platformLine).sort(compare),
      ),
    )
  return [...HEAD, ...lines].map((line) => `${line}\n`).join('')
}

/** A registry makes up its platforms: a line break in one would begin a line, which is an image. */
function platformLine({platform, digest, leftOut}: LockedPart): string {
  return `#   ${printable(formatPlatform(platform))} ${digest}${leftOut ? ' left out' : ''}`
}

/** Returns the bytes of images in a lock file, by the reference of their lines. */
export function sizesInLock(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  let name = ''
  for (const line of text.split(/\r?\n/)) {
    const bytes = /^# {3}(\d{1,15}) bytes$/.exec(line)?.[1]
    if (bytes !== undefined) sizes.set(name, Number(bytes))
    else if (!line.startsWith('#')) name = line
  }
  return sizes
}

/** By code units, which is the same everywhere. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
