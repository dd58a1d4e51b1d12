import {count, formatBytes, formatDuration, formatRate} from '../text/format-quantity.js'
import {printable} from '../text/printable.js'
import {progressOf, type ProgressState} from './fold.js'

/** One line that says where the run stands; undefined before there is anything to say. */
export const progressLine = (state: ProgressState, {at}: {readonly at: number}): string | undefined => {
  const percent = percentOf(state, {at})
  const details = progressDetails(state, {at})
  return details === undefined ? undefined : `${percent === undefined ? '' : `${percent}  `}${details}`
}

/** ` 42%`; rounded down, so that 100% means all of it. */
export const percentOf = (state: ProgressState, {at}: {readonly at: number}): string | undefined => {
  const {fraction} = progressOf(state, {at})
  return fraction === undefined ? undefined : `${String(Math.floor(fraction * 100)).padStart(3)}%`
}

export const progressDetails = (state: ProgressState, {at}: {readonly at: number}): string | undefined => {
  const {plan, reading, images} = state
  if (plan === undefined) return reading === undefined ? undefined : readingLine(reading)
  const {done, rate, left} = progressOf(state, {at})
  return [
    `${formatBytes(done)} of ${formatBytes(plan.bytes)}`,
    ...(rate === undefined ? [] : [formatRate(rate)]),
    ...(left === undefined || done === plan.bytes ? [] : [`${formatDuration(left)} left`]),
    `${images.done + images.failed} of ${count(plan.images, 'image')}`,
    ...(images.failed === 0 ? [] : [`${images.failed} failed`]),
  ].join(', ')
}

/** What the work is, before it starts. */
export const planLine = ({images, blobs, bytes}: NonNullable<ProgressState['plan']>): string =>
  `${count(images, 'image')}, at most ${formatBytes(bytes)} to send in ${count(blobs, 'blob')}`

export const retryLine = (retry: {
  readonly what: string
  readonly reason: string
  readonly wait: number
}): string => printable(`retry in ${formatDuration(retry.wait)}: ${retry.what}: ${retry.reason}`)

const readingLine = ({bytes, total}: NonNullable<ProgressState['reading']>): string =>
  `reading the bundle: ${formatBytes(bytes)}${total === undefined ? '' : ` of ${formatBytes(total)}`}`
