import type {ImageEvent} from '../engine/events.js'
import {referenceOf} from '../report/report-error.js'
import {printable} from '../text/printable.js'

/**
 * Returns a function that gives the line for an image's end: empty if another name of the source came to the same end at
 * the same target.
 */
export function imageTeller(): (event: ImageEvent) => string {
  const told = new Set<string>()
  return (event) => {
    const line = imageLine(event)
    const end = `${event.target}\n${line}`
    if (event.target !== '' && told.has(end)) return ''
    told.add(end)
    return line
  }
}

/** The line for an image that has come to its end, newline included. The cause of a failure is told at the end of the run. */
function imageLine(event: ImageEvent): string {
  const {status, target, digest, error} = event
  if (error !== undefined) {
    // No cause at the end of the run tells of an image that was not tried.
    const why = status === 'skipped' ? `: ${error.message}` : ''
    return `${printable(`${status} ${referenceOf(event, error)}${why}`)}\n`
  }
  return `${printable(`${status} ${target}${digest === undefined ? '' : ` ${digest}`}`)}\n`
}

export function warningLine(text: string): string {
  return `${printable(`warning: ${text}`)}\n`
}

export function noteLine(text: string): string {
  return `${printable(text)}\n`
}
