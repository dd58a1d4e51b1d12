import {count, formatBytes, formatDuration, formatRate} from '../text/format-quantity.js'
import {printable} from '../text/printable.js'
import {progressOf, type ProgressState} from './fold.js'

/** A line with the progress of the run; undefined before there is anything to say. */
export function progressLine(state: ProgressState, {now}: {readonly now: number}): string | undefined {
  const percent = percentOf(state, {now})
  const details = progressDetails(state, {now})
  return details === undefined ? undefined : `${percent === undefined ? '' : `${percent}  `}${details}`
}

/** ` 42%`; rounded down, so that 100% means all of it. */
export function percentOf(state: ProgressState, {now}: {readonly now: number}): string | undefined {
  const {fraction} = progressOf(state, {now})
  return fraction === undefined ? undefined : `${String(Math.floor(fraction * 100)).padStart(3)}%`
}

/** A part of a progress line that a narrow terminal can do without. */
export type Detail = 'rate' | 'images' | 'left'

export function progressDetails(
  state: ProgressState,
  {now, without = []}: {readonly now: number; readonly without?: readonly Detail[]},
): string | undefined {
  const {plan, reading, images, since} = state
  if (reading !== undefined && since === undefined) return readingLine(reading)
  if (plan === undefined) return undefined
  const {done, total = plan.bytes, rate, left} = progressOf(state, {now})
  const details: readonly (readonly [Detail | 'always', string | undefined])[] = [
    ['always', `${formatBytes(done)} of ${formatBytes(total)}`],
    ['rate', rate === undefined ? undefined : formatRate(rate)],
    ['left', left === undefined || done === total ? undefined : `${formatDuration(left)} left`],
    ['images', `${images.done + images.failed} of ${count(plan.images, 'image')}`],
    ['always', images.failed === 0 ? undefined : `${images.failed} failed`],
  ]
  return details
    .filter(([detail, text]) => text !== undefined && (detail === 'always' || !without.includes(detail)))
    .map(([, text]) => text)
    .join(', ')
}

/**
 * The amount of work, shown before it starts. Its parts are those of the last line: the blobs to send, to mount and there
 * already become those that were.
 */
export function planLine({
  images,
  blobs,
  bytes,
  toMount,
  present,
  reads = false,
}: NonNullable<ProgressState['plan']>): string {
  const mounts = toMount?.blobs ?? 0
  const amounts = [
    [reads ? 'to read' : 'to send', bytes, blobs - mounts],
    ['to mount', toMount?.bytes ?? 0, mounts],
    ['present', present?.bytes ?? 0, present?.blobs ?? 0],
  ] as const
  const parts = amounts
    .filter(([, , number]) => number > 0)
    .map(([word, size, number]) => `${formatBytes(size)} ${word} in ${count(number, 'blob')}`)
  const first = blobs - mounts > 0 && !reads ? 'at most ' : ''
  return `${count(images, 'image')}${parts.length === 0 ? '' : `: ${first}${parts.join(', ')}`}`
}

export function retryLine(retry: {
  readonly what: string
  readonly reason: string
  readonly wait: number
}): string {
  return printable(`retry in ${formatDuration(retry.wait)}: ${retry.what}: ${retry.reason}`)
}

function readingLine({bytes, total}: NonNullable<ProgressState['reading']>): string {
  if (total === undefined) return `reading the bundle: ${formatBytes(bytes)}`
  const [read, whole] = [formatBytes(bytes), formatBytes(total)]
  const [amount, unit] = read.split(' ')
  return `reading the bundle: ${whole.endsWith(` ${unit}`) ? amount : read} of ${whole}`
}
