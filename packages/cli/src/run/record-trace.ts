import {closeSync, fstatSync, ftruncateSync, writeSync} from 'node:fs'
import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {messageOf, SPAN_CHANNEL, type SpanMessage} from '@airgap-mirror/oci-client/model'
import {beginFile} from '../files/begin-file.js'
import {TraceEvents, type TraceEvent} from '../report/trace-events.js'

export interface Trace {
  /** Ends open spans and completes the file. Synchronous, because a second Ctrl-C leaves no time. Later calls do nothing. */
  readonly close: () => void
  /** The reason why the trace is not complete. */
  readonly problem: () => string | undefined
}

/** Written at once when there is this much text, or when the last writing is this long ago. */
const BATCH = 64 * 1024
const LATEST_MILLISECONDS = 1000
const COMMA = ','.charCodeAt(0)

/**
 * Writes the spans of the process to a file as Chrome trace events, until it is closed. A killed run leaves an array
 * without its end, which viewers take.
 * @throws {MirrorError} WRITE_FAILED if the file cannot be begun
 */
export async function recordTrace(path: string): Promise<Trace> {
  const file = await beginFile(path)
  const events = new TraceEvents(performance.now())
  let text = '['
  let isFirst = true
  let writtenAt = performance.now()
  let problem: string | undefined
  const write = (): void => {
    writtenAt = performance.now()
    if (problem !== undefined) return
    const bytes = Buffer.from(text)
    text = ''
    let at = 0
    try {
      while (at < bytes.length) at += writeSync(file, bytes, at)
    } catch (error) {
      problem = `cannot write ${path}: ${messageOf(error)}`
      unsubscribe(SPAN_CHANNEL, listen)
      endEarly(file, bytes.subarray(0, at))
    }
  }
  const add = (added: readonly TraceEvent[]): void => {
    for (const event of added) {
      text += `${isFirst ? '' : ','}\n${JSON.stringify(event)}`
      isFirst = false
    }
    if (text.length >= BATCH || performance.now() - writtenAt >= LATEST_MILLISECONDS) write()
  }
  const listen = (message: unknown): void => {
    const {moment, span, details} = message as SpanMessage
    const now = performance.now()
    add(moment === 'begin' ? events.begin(span, now) : events.end(span, now, details))
  }
  subscribe(SPAN_CHANNEL, listen)
  let isOpen = true
  return {
    close: () => {
      if (!isOpen) return
      isOpen = false
      unsubscribe(SPAN_CHANNEL, listen)
      add(events.endAll(performance.now()))
      text += '\n]\n'
      write()
      closeSync(file)
    },
    problem: () => problem,
  }
}

/**
 * Ends the array in the place of the event that was cut off, where no more room is needed. Leaves a pipe or a device as
 * it is.
 * @param written the last bytes of the file
 */
function endEarly(file: number, written: Buffer): void {
  const line = written.lastIndexOf('\n')
  try {
    const {size} = fstatSync(file)
    if (line < 0 || size < written.length) return
    // A comma before the line ends the event before it.
    const end = size - written.length + (written.at(line - 1) === COMMA ? line - 1 : line)
    writeSync(file, ']', end)
    ftruncateSync(file, end + 1)
  } catch {
    // The first failure is told already.
  }
}
