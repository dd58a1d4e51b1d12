import type {ImageEvent} from '../engine/events.js'
import {formatFailure} from '../text/format-error.js'
import {failureOf} from '../report/report-error.js'
import {printable} from '../text/printable.js'

/** The lines an image's end is told in, newline included. */
export function imageLines(event: ImageEvent): string {
  if (event.error !== undefined) return formatFailure(failureOf(event, event.error), event.error.hint)
  const digest = event.digest === undefined ? '' : ` ${event.digest}`
  return `${printable(`${event.status} ${event.target}${digest}`)}\n`
}

export function warningLine(text: string): string {
  return `${printable(`warning: ${text}`)}\n`
}

export function noteLine(text: string): string {
  return `${printable(text)}\n`
}
