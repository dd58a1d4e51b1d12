import {open} from 'node:fs/promises'
import {
  isDigest,
  isJsonObject,
  limits,
  MirrorError,
  parseReference,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../files/read-file.js'
import {parseImageList} from '../names/image-list.js'
import type {LockedPart} from '../names/locked-parts.js'

/** The content that `--since` and `--diff` name: a bundle, or images by their digests. */
export type OlderContent =
  {readonly bundle: string} | {readonly images: readonly OlderImage[]; readonly from: string}

/** An image that is known by its digest. */
export interface OlderImage {
  readonly reference: Reference
  /** The platforms of its index, in a lock file. */
  readonly parts?: readonly LockedPart[]
}

const SNIFFED_BYTES = 512

/**
 * Reads an older content that is no bundle: the report of an earlier run, a lock file, or a list of digests.
 * @param flag the flag that names it
 * @throws {MirrorError} LIST_INVALID, SOURCE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function readOlder(path: string, flag: '--since' | '--diff'): Promise<OlderContent> {
  const kind = await kindOf(path)
  if (kind === 'bundle') return {bundle: path}
  const text = await readTextFile(path, {flag, limit: limits.listBytes, code: 'LIST_INVALID'})
  return {
    images:
      kind === 'report' ? imagesInReport(text, `${flag} ${path}`) : imagesInList(text, `${flag} ${path}`),
    from: path,
  }
}

async function kindOf(path: string): Promise<'bundle' | 'report' | 'list'> {
  try {
    await using file = await open(path)
    if ((await file.stat()).isDirectory()) return 'bundle'
    const {buffer, bytesRead} = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    if (head.some((byte) => byte === 0 || byte >= 0xf5)) return 'bundle'
    return head.toString('latin1').trimStart().startsWith('{') ? 'report' : 'list'
  } catch {
    // A bundle in volumes has no file of its own name. In other cases opening the bundle reports the error.
    return 'bundle'
  }
}

function imagesInList(text: string, name: string): readonly OlderImage[] {
  return parseImageList(text, name).map(({source, line, parts}) => {
    if (source.digest !== undefined) return {reference: source, parts}
    throw new MirrorError('LIST_INVALID', `${name}: line ${line} has no digest`, {
      side: 'source',
      hint: 'Give a lock file, a report or a bundle: a tag alone does not say which blobs the far side has.',
    })
  })
}

function imagesInReport(text: string, name: string): readonly OlderImage[] {
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch {
    // Refused below, as any other text that is no report.
    report = undefined
  }
  const images =
    isJsonObject(report) && report['schema'] === 'mirror.report/v1' ? report['images'] : undefined
  if (!Array.isArray(images)) {
    throw new MirrorError('LIST_INVALID', `${name} is not a report of mirror`, {side: 'source'})
  }
  return images
    .filter(isJsonObject)
    .flatMap(({source, sourceDigest, targetDigest, status}): readonly OlderImage[] => {
      const isThere = status === 'pushed' || status === 'present' || status === 'verified'
      // Under another digest, only some of the platforms may be there.
      if (!isThere || !isDigest(sourceDigest) || sourceDigest !== targetDigest || typeof source !== 'string')
        return []
      return [{reference: {...parseReference(source), digest: sourceDigest}}]
    })
}
