import type {ImageEvent} from '../engine/events.js'
import {formatFailure} from '../text/format-error.js'
import {failureOf} from '../report/report-error.js'
import {printable} from '../text/printable.js'

/** The lines an image's end is told in, newline included. */
export const imageLines = (event: ImageEvent): string => {
  if (event.error !== undefined) return formatFailure(failureOf(event, event.error), event.error.hint)
  const digest = event.digest === undefined ? '' : ` ${event.digest}`
  return `${printable(`${event.status} ${event.target}${digest}`)}\n`
}

export const warningLine = (text: string): string => `${printable(`warning: ${text}`)}\n`

export const noteLine = (text: string): string => `${printable(text)}\n`
