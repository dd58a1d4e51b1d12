import {count, formatBytes} from '../text/format-quantity.js'
import {printable} from '../text/printable.js'
import {formatFailures} from './failures.js'
import {isFailed, type Report, type ReportImage} from './report.js'
import {formatChanges} from './summary.js'

/** Beyond it, columns no longer fit a line anyway. */
const WIDEST_SOURCE = 72

/** Returns the output of `--dry-run`: a line for each image with bytes to send, source and target, then the totals. */
export function formatPlan(report: Report): string {
  const {images, totals} = report
  const rows = images.filter((image) => !isFailed(image)).map(rowOf)
  const widest = rows.reduce((width, {source}) => Math.max(width, source.length), 0)
  const width = Math.min(WIDEST_SOURCE, widest)
  const table = rows.map(
    ({toSend, source, target}) => `${toSend.padStart(9)}  ${source.padEnd(width)}  ->  ${target}\n`,
  )
  const removed = images.filter(({toRemove}) => toRemove === true).length
  const planned = images.filter(({status}) => status === 'planned').length - removed
  const present = images.filter(({status}) => status === 'present').length
  const sums = [
    `${count(images.length, 'image')}: ${planned} to push, ${present} present`,
    ...(removed === 0 ? [] : [`, ${removed} to remove`]),
    ...(totals.failed === 0 ? [] : [`, ${totals.failed} failed`]),
    `; at most ${formatBytes(totals.bytes.toSend ?? 0)} to send; nothing was changed\n`,
  ]
  return `${table.join('')}${formatFailures(report)}${formatChanges(report)}${sums.join('')}`
}

function rowOf(image: ReportImage): {toSend: string; source: string; target: string} {
  return {
    toSend:
      image.toRemove === true
        ? 'remove'
        : image.status === 'planned'
          ? formatBytes(image.bytesToSend ?? 0)
          : image.status,
    source: printable(image.source),
    target: printable(image.target),
  }
}
