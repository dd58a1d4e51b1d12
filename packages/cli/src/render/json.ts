import {jsonText} from '../text/printable.js'
import {systemClock} from './clock.js'
import {fold, nothingYet, progressOf} from './fold.js'
import type {Renderer, RendererOptions} from './renderer.js'

const PROGRESS_EVERY = 1000

/**
 * One JSON object a line: the events as they come, each with `elapsed` in milliseconds; instead of the many about bytes,
 * a `progress` line of absolute figures at most once a second; at last a `finish` line.
 */
export function createJsonRenderer({stream, clock = systemClock}: RendererOptions): Renderer {
  const start = clock.now()
  let state = nothingYet
  let told = Number.NEGATIVE_INFINITY

  const write = (line: object): void => {
    stream.write(`${jsonText({elapsed: Math.round(clock.now() - start), ...line})}\n`)
  }

  const tellProgress = (): void => {
    const now = clock.now()
    if (now - told < PROGRESS_EVERY) return
    told = now
    const {sent, done, total, rate, left} = progressOf(state, {now})
    const {reading, plan, images} = state
    write({
      type: 'progress',
      ...(plan === undefined ? {read: reading?.bytes, toRead: reading?.total} : {sent, done, total}),
      rate: rate === undefined ? undefined : Math.round(rate),
      left: left === undefined ? undefined : Math.round(left),
      images: images.done,
      failed: images.failed,
    })
  }

  return {
    onEvent(event) {
      state = fold(state, event, {now: clock.now()})
      if (event.type === 'reading' || (event.type === 'blob' && event.state === 'progress')) tellProgress()
      else write(event)
    },
    suspend: () => () => {},
    finish({outcome, totals}) {
      write({type: 'finish', outcome, totals})
    },
    close() {},
  }
}
