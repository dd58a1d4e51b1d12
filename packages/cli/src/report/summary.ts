import {count, formatBytes, formatDuration} from '../text/format-quantity.js'
import {printable} from '../text/printable.js'
import {formatFailures} from './failures.js'
import {isDryRun, type ImageStatus, type Report, type ReportImage} from './report.js'

const NAMES_SHOWN = 3
const REASONS_SHOWN = 5

/**
 * The end of a run for people, in lines: failures, changed digests with the reason, and the figures last. If quiet, only
 * failures. Empty for a dry run, whose plan is printed instead, unless it is quiet.
 */
export function formatSummary(report: Report, options: {readonly quiet?: boolean | undefined} = {}): string {
  if (report.outcome === 'planned' || isDryRun(report.images)) {
    return options.quiet === true ? formatFailures(report) : ''
  }
  if (options.quiet === true) {
    return report.outcome === 'ok' ? '' : `${formatFailures(report)}${formatFigures(report)}`
  }
  return `${formatFailures(report)}${formatChanges(report)}${formatFigures(report)}`
}

/** Grouped by reason, since a bundle's images usually share it. */
export function formatChanges({images}: Report): string {
  const changed = new Map<string, ReportImage[]>()
  for (const image of images) {
    if (!image.digestChanged || image.status === 'failed' || image.status === 'differs') continue
    const reason = image.reason ?? 'no reason recorded'
    const group = changed.get(reason)
    if (group === undefined) changed.set(reason, [image])
    else group.push(image)
  }
  const lines = [...changed].slice(0, REASONS_SHOWN).map(([reason, group]) => {
    const names = group.slice(0, NAMES_SHOWN).map(({target}) => `  ${printable(target)}\n`)
    const title = printable(`another digest for ${count(group.length, 'image')}: ${reason}`)
    return `${title}\n${names.join('')}${more(group.length - NAMES_SHOWN)}`
  })
  return `${lines.join('')}${more(changed.size - REASONS_SHOWN)}`
}

/** `15 images: 12 pushed, 3 present, 0 failed; 812 MB sent, 120 MB mounted, 3 blobs present; 34 s` */
function formatFigures(report: Report): string {
  const {totals, images, outcome} = report
  const by = (status: ImageStatus): number => images.filter((image) => image.status === status).length
  const asked = by('verified') + by('differs') > 0
  const ends = asked ? (['verified', 'differs'] as const) : (['pushed', 'present', 'failed'] as const)
  const always = ends.map((status) => `${by(status)} ${status}`)
  const sometimes = (
    ['drifted', 'pruned', 'skipped', 'cancelled', ...(asked ? (['failed'] as const) : [])] as const
  )
    .filter((status) => by(status) > 0)
    .map((status) => `${by(status)} ${status}`)
  const bytes = [
    ...(asked ? [] : [`${formatBytes(totals.bytes.uploaded)} sent`]),
    ...(totals.blobs.mounted === 0 ? [] : [`${formatBytes(totals.bytes.mounted)} mounted`]),
    ...(totals.blobs.present === 0 ? [] : [`${count(totals.blobs.present, 'blob')} present`]),
    ...(totals.retries === 0 ? [] : [`${count(totals.retries, 'request')} sent again`]),
  ]
  const time = Date.parse(report.finishedAt) - Date.parse(report.startedAt)
  const figures = `${count(images.length, 'image')}: ${[...always, ...sometimes].join(', ')}; ${bytes.join(', ')}; ${formatDuration(time)}\n`
  return outcome === 'cancelled'
    ? `interrupted: ${figures}hint: run the same command again: what is there already is not sent again\n`
    : figures
}

function more(number: number): string {
  return number > 0 ? `  and ${number} more: see --report\n` : ''
}
