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
export function formatSummary(report: Report, options: {readonly quiet?: boolean} = {}): string {
  if (report.outcome === 'planned' || isDryRun(report.images)) {
    return options.quiet === true ? formatFailures(report) : ''
  }
  if (options.quiet === true) {
    return report.outcome === 'ok' ? '' : `${formatFailures(report)}${formatFigures(report)}`
  }
  return `${formatFailures(report)}${formatChanges(report)}${formatFigures(report)}`
}

/**
 * The digests that a run has changed, or a dry run would change, grouped by reason, because a bundle's images usually share
 * it. Of images that were there already the run that pushed them has told.
 */
export function formatChanges({images}: Report): string {
  const changed = new Map<string, ReportImage[]>()
  for (const image of images) {
    if (!image.digestChanged || (image.status !== 'pushed' && image.status !== 'planned')) continue
    const reason = image.reason ?? 'no reason recorded'
    const group = changed.get(reason)
    if (group === undefined) changed.set(reason, [image])
    else group.push(image)
  }
  const lines = [...changed].slice(0, REASONS_SHOWN).map(([reason, group]) => {
    const targets = [...new Set(group.map(({target}) => target))]
    const names = targets.slice(0, NAMES_SHOWN).map((target) => `  ${printable(target)}\n`)
    const title = printable(`another digest for ${count(group.length, 'image')}: ${reason}`)
    return `${title}\n${names.join('')}${more(targets.length - NAMES_SHOWN)}`
  })
  return `${lines.join('')}${more(changed.size - REASONS_SHOWN)}`
}

/** `2 images: 1 pushed, 1 present, 0 failed; 812 MB sent in 4 blobs, 120 MB mounted in 1 blob, 9.0 MB present in 3 blobs; 34 s` */
function formatFigures(report: Report): string {
  const {totals, images, outcome} = report
  const by = (status: ImageStatus): number => images.filter((image) => image.status === status).length
  const asked = report.command === 'verify'
  const ends = asked ? (['verified', 'differs'] as const) : (['pushed', 'present', 'failed'] as const)
  const always = ends.map((status) => `${by(status)} ${status}`)
  const sometimes = (
    ['drifted', 'pruned', 'skipped', 'cancelled', ...(asked ? (['failed'] as const) : [])] as const
  )
    .filter((status) => by(status) > 0)
    .map((status) => `${by(status)} ${status}`)
  const {mounted, present} = totals.blobs
  const amount = (how: 'uploaded' | 'mounted' | 'present', word: string): string =>
    `${formatBytes(totals.bytes[how])} ${word}${totals.blobs[how] === 0 ? '' : ` in ${count(totals.blobs[how], 'blob')}`}`
  const bytes = [
    ...(asked ? [] : [amount('uploaded', 'sent')]),
    ...(mounted === 0 ? [] : [amount('mounted', 'mounted')]),
    ...(present === 0 ? [] : [amount('present', 'present')]),
    ...(totals.retries === 0 ? [] : [`${count(totals.retries, 'request')} sent again`]),
  ]
  const time = Date.parse(report.finishedAt) - Date.parse(report.startedAt)
  const parts = [[...always, ...sometimes].join(', '), bytes.join(', '), formatDuration(time)]
  const figures = `${count(images.length, 'image')}: ${parts.filter((part) => part !== '').join('; ')}\n`
  return outcome === 'cancelled'
    ? `interrupted: ${figures}hint: Run the same command again: it sends only what is missing.\n`
    : figures
}

function more(number: number): string {
  return number > 0 ? `  and ${number} more: see --report\n` : ''
}
