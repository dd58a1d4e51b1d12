import {isMirrorError, type MirrorError, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {Unused} from '../files/file-tree.js'
import type {ContentKind} from '../files/sniff.js'
import type {Producer} from '../formats/producer.js'
import type {ReadContext} from '../formats/read-context.js'
import type {OpenArchives} from './open-archives.js'
import type {BlobStore} from './unused-blobs.js'

/** A place in the bundle that holds images or could not be read. */
export interface BundlePart {
  /** The path inside the bundle; empty for the bundle itself. */
  readonly path: string
  /** The format of its images; `unreadable` if it could not be read. */
  readonly format: string
  /** The tool that wrote it; undefined if several may have. */
  readonly producer?: Producer
  readonly images: readonly SourceImage[]
}

/** Shared while a bundle and the archives inside it are read. */
export interface Reading {
  readonly context: Omit<ReadContext, 'shownAs' | 'nested' | 'zarf'>
  readonly archives: OpenArchives
  readonly findings: Findings
}

/** Findings in a bundle besides its images. */
export interface Findings {
  /** Kinds of sniffed entries at the top, by path. */
  readonly kinds: Map<string, ContentKind>
  readonly unused: Unused[]
  /** Stores of blobs by digest, in which blobs may lie that no image refers to. */
  readonly stores: BlobStore[]
  readonly warn: (text: string) => void
}

export interface Place {
  readonly path: string
  readonly shownAs: string
  readonly depth: number
}

/** Turns an error of one part into a part that reports it. */
export async function unlessBroken(
  path: string,
  read: () => Promise<readonly BundlePart[]>,
): Promise<readonly BundlePart[]> {
  try {
    return await read()
  } catch (error) {
    if (!isMirrorError(error) || ENDS_ALL.has(error.code)) throw error
    return [brokenPart(path, error)]
  }
}

/** Limits hold for all archives of a bundle together, so the next archive would exceed them too. */
const ENDS_ALL: ReadonlySet<string> = new Set(['CANCELLED', 'LIMIT_EXCEEDED'])

export function brokenPart(path: string, error: MirrorError): BundlePart {
  return {path, format: 'unreadable', images: [{shownAs: path, root: {error}}]}
}

export function unusedPart(path: string, size: number, reason: string): Unused {
  return {path, size, reason, isWarning: false}
}

export function note({findings}: Reading, place: Place, unused: readonly Unused[]): void {
  findings.unused.push(...unused.map((one) => ({...one, path: join(place.path, one.path)})))
}

export function join(outer: string, inner: string): string {
  return outer === '' ? inner : `${outer}: ${inner}`
}
