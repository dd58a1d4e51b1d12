import type {ImageEvent} from '../engine/events.js'
import {referenceOf} from '../report/report-error.js'
import {printable} from '../text/printable.js'

/** The line for an image that has come to its end, newline included. The cause of a failure is told at the end of the run. */
export function imageLine(event: ImageEvent): string {
  const {status, target, digest, error} = event
  if (error !== undefined) return `${printable(`${status} ${referenceOf(event, error)}`)}\n`
  return `${printable(`${status} ${target}${digest === undefined ? '' : ` ${digest}`}`)}\n`
}

export function warningLine(text: string): string {
  return `${printable(`warning: ${text}`)}\n`
}

export function noteLine(text: string): string {
  return `${printable(text)}\n`
}
