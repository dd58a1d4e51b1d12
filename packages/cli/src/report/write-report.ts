import {formatReference} from '@airgap-mirror/oci-client/model'
import {NOTHING_FAILED, parseImageList} from '../names/image-list.js'
import type {ImageStatus, Report, ReportImage} from './report.js'
import {jsonText, printable} from '../text/printable.js'
import {writeAtomically} from '../files/write-atomically.js'

export function formatReport(report: Report): string {
  return `${jsonText(report, 2)}\n`
}

/** `--report FILE`. @throws {MirrorError} WRITE_FAILED */
export function writeReport(path: string, report: Report): Promise<void> {
  return writeAtomically(path, formatReport(report))
}

/**
 * `--failed FILE`: the source references of the images that were not done, one a line, with the target if the list gave
 * one, ready for `--images`. What the list's own parser would read otherwise is a comment. A comment alone if all was
 * done.
 * @throws {MirrorError} WRITE_FAILED
 */
export function writeFailed(path: string, report: Report): Promise<void> {
  return writeAtomically(path, formatFailed(report))
}

export function formatFailed({images, error}: Report): string {
  const notDone = images.filter(({status, toRemove}) => NOT_DONE.has(status) && toRemove !== true)
  if (notDone.length === 0 && error === undefined) return `${NOTHING_FAILED}\n`
  return [...new Set(notDone.map(failedLine))].join('')
}

/** A name that a bundle or a registry made up must not read as another image, or as more than one. */
function failedLine({source, listedTarget, sourceDigest}: ReportImage): string {
  const line = listedTarget === undefined ? source : `${source} ${listedTarget}`
  return readsAs(line, {source, listedTarget})
    ? `${line}\n`
    : `# not a reference: ${printable(source)}${sourceDigest === undefined ? '' : ` ${sourceDigest}`}\n`
}

function readsAs(
  line: string,
  {source, listedTarget}: {readonly source: string; readonly listedTarget: string | undefined},
): boolean {
  try {
    const [image, ...others] = parseImageList(line, 'line')
    return (
      others.length === 0 &&
      image !== undefined &&
      formatReference(image.source) === source &&
      image.target === listedTarget
    )
  } catch {
    // Not a line of a list.
    return false
  }
}

const NOT_DONE: ReadonlySet<ImageStatus> = new Set<ImageStatus>([
  'failed',
  'skipped',
  'cancelled',
  'drifted',
  'differs',
])
