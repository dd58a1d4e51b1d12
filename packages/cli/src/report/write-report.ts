import type {ImageStatus, Report} from './report.js'
import {jsonText} from '../text/printable.js'
import {writeAtomically} from '../files/write-atomically.js'

export function formatReport(report: Report): string {
  return `${jsonText(report, 2)}\n`
}

/** `--report FILE`. @throws {MirrorError} WRITE_FAILED */
export function writeReport(path: string, report: Report): Promise<void> {
  return writeAtomically(path, formatReport(report))
}

/**
 * `--failed FILE`: the source references of what was not done, one a line, with the target where the list gave one, ready for `--images`. Empty if all was done.
 * @throws {MirrorError} WRITE_FAILED
 */
export function writeFailed(path: string, report: Report): Promise<void> {
  return writeAtomically(path, formatFailed(report))
}

export function formatFailed({images}: Report): string {
  const notDone = images.filter(({status, toRemove}) => NOT_DONE.has(status) && toRemove !== true)
  const lines = notDone.map(({source, listedTarget}) =>
    listedTarget === undefined ? `${source}\n` : `${source} ${listedTarget}\n`,
  )
  return [...new Set(lines)].join('')
}

const NOT_DONE: ReadonlySet<ImageStatus> = new Set<ImageStatus>(['failed', 'skipped', 'cancelled', 'drifted'])
