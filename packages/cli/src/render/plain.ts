import type {MirrorEvent} from '../engine/events.js'
import {formatSummary} from '../report/summary.js'
import {systemClock} from './clock.js'
import {imageTeller, noteLine, warningLine} from './event-line.js'
import {fold, nothingYet, type ProgressState} from './fold.js'
import {planLine, progressLine, retryLine} from './progress-line.js'
import type {Renderer, RendererOptions} from './renderer.js'

const LINE_EVERY = 10_000
/** Eight blobs that fail together are one thing to read. */
const RETRY_LINE_EVERY = 2000

/** Lines for logs: the work, where it stands every 10 s, each image's end. */
export function createPlainRenderer({stream, clock = systemClock}: RendererOptions): Renderer {
  let state = nothingYet
  let retryTold = Number.NEGATIVE_INFINITY
  let suspended = false
  const tellImage = imageTeller()

  const tellProgress = (): void => {
    const line = suspended ? undefined : progressLine(state, {now: clock.now()})
    if (line !== undefined) stream.write(`${line}\n`)
  }
  const stop = clock.every(LINE_EVERY, tellProgress)

  const tell = (event: MirrorEvent, before: typeof state): void => {
    switch (event.type) {
      case 'plan':
        if (hasGrown(before.plan, event)) stream.write(`${planLine(event)}\n`)
        break
      case 'image':
        stream.write(tellImage(event))
        break
      case 'retry':
        if (clock.now() - retryTold < RETRY_LINE_EVERY) break
        retryTold = clock.now()
        stream.write(`${retryLine(event)}\n`)
        break
      case 'note':
        stream.write(noteLine(event.text))
        break
      case 'warning':
        stream.write(warningLine(event.text))
        break
      case 'blob':
      case 'reading':
        break
    }
  }

  return {
    onEvent(event) {
      const before = state
      state = fold(state, event, {now: clock.now()})
      tell(event, before)
    },
    suspend() {
      suspended = true
      return () => {
        suspended = false
      }
    },
    finish(report) {
      stop()
      stream.write(formatSummary(report))
    },
    close: stop,
  }
}

function hasGrown(
  before: ProgressState['plan'],
  {images, bytes}: NonNullable<ProgressState['plan']>,
): boolean {
  return before === undefined || images > before.images || bytes > before.bytes
}
