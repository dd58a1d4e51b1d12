import {count, formatBytes, formatDuration, formatRate} from '../text/format-quantity.js'
import {printable} from '../text/printable.js'
import {progressOf, type ProgressState} from './fold.js'

/** One line that says where the run stands; undefined before there is anything to say. */
export function progressLine(state: ProgressState, {at}: {readonly at: number}): string | undefined {
  const percent = percentOf(state, {at})
  const details = progressDetails(state, {at})
  return details === undefined ? undefined : `${percent === undefined ? '' : `${percent}  `}${details}`
}

/** ` 42%`; rounded down, so that 100% means all of it. */
export function percentOf(state: ProgressState, {at}: {readonly at: number}): string | undefined {
  const {fraction} = progressOf(state, {at})
  return fraction === undefined ? undefined : `${String(Math.floor(fraction * 100)).padStart(3)}%`
}

export function progressDetails(state: ProgressState, {at}: {readonly at: number}): string | undefined {
  const {plan, reading, images} = state
  if (plan === undefined) return reading === undefined ? undefined : readingLine(reading)
  const {done, total = plan.bytes, rate, left} = progressOf(state, {at})
  return [
    `${formatBytes(done)} of ${formatBytes(total)}`,
    ...(rate === undefined ? [] : [formatRate(rate)]),
    ...(left === undefined || done === total ? [] : [`${formatDuration(left)} left`]),
    `${images.done + images.failed} of ${count(plan.images, 'image')}`,
    ...(images.failed === 0 ? [] : [`${images.failed} failed`]),
  ].join(', ')
}

/** The amount of work, shown before it starts. */
export function planLine({images, blobs, bytes}: NonNullable<ProgressState['plan']>): string {
  return `${count(images, 'image')}, at most ${formatBytes(bytes)} to send in ${count(blobs, 'blob')}`
}

export function retryLine(retry: {
  readonly what: string
  readonly reason: string
  readonly wait: number
}): string {
  return printable(`retry in ${formatDuration(retry.wait)}: ${retry.what}: ${retry.reason}`)
}

function readingLine({bytes, total}: NonNullable<ProgressState['reading']>): string {
  return `reading the bundle: ${formatBytes(bytes)}${total === undefined ? '' : ` of ${formatBytes(total)}`}`
}
