import cliProgress, {type MultiBar} from 'cli-progress'
import type {MirrorEvent} from '../engine/events.js'
import type {ImageStatus} from '../report/report.js'
import {formatSummary} from '../report/summary.js'
import {assignRows, type BlobRows} from './blob-rows.js'
import {systemClock} from './clock.js'
import {imageTeller, noteLine, warningLine} from './event-line.js'
import {fold, nothingYet} from './fold.js'
import {frameOf} from './frame.js'
import type {Renderer, RendererOptions} from './renderer.js'

const FRAMES_PER_SECOND = 5
const MOST_BLOB_ROWS = 8
const SHOW_CURSOR = '\u001B[?25h'
/** Images that were there already would push everything else out of the scrollback. */
const SAID: ReadonlySet<ImageStatus> = new Set<ImageStatus>([
  'pushed',
  'pruned',
  'failed',
  'drifted',
  'differs',
])
const CLEAR_BELOW = '\u001B[J'

/** A bar for the whole run and one for each blob in flight, redrawn in place; messages scroll by above them. */
export function createBarRenderer({stream, clock = systemClock}: RendererOptions): Renderer {
  let state = nothingYet
  let rows: BlobRows = []
  let frame: readonly string[] = []
  let screen: MultiBar | undefined
  const tellImage = imageTeller()

  const compose = (): void => {
    const most = Math.max(1, Math.min(MOST_BLOB_ROWS, (stream.rows ?? 24) - 4))
    rows = assignRows(rows, state.active, {most})
    // a line that fills the last column may wrap
    frame = frameOf(state, {now: clock.now(), columns: (stream.columns ?? 80) - 1, rows})
  }

  const open = (): void => {
    const multi = new cliProgress.MultiBar({
      stream,
      fps: FRAMES_PER_SECOND,
      hideCursor: true,
      // frames are cut to fit, and the terminal keeps its own setting: a crash leaves nothing to repair but the cursor
      linewrap: true,
      clearOnComplete: true,
      // a message above pushes down the rows that did not change, too
      forceRedraw: true,
      gracefulExit: false,
    })
    let drawn = 0
    const addLines = (): void => {
      while (drawn < frame.length) {
        const line = drawn++
        multi.create(1, 0, {}, {format: () => frame[line] ?? ''})
      }
    }
    compose()
    addLines()
    multi.on('redraw-pre', () => {
      compose()
      addLines()
    })
    screen = multi
    process.once('exit', showCursor)
  }

  const showCursor = (): void => {
    stream.write(SHOW_CURSOR)
  }

  const close = (): void => {
    if (screen === undefined) return
    // flushes the messages since the last frame
    screen.update()
    screen.stop()
    screen = undefined
    process.removeListener('exit', showCursor)
  }

  const say = (lines: string): void => {
    if (screen === undefined) stream.write(lines)
    else screen.log(`${CLEAR_BELOW}${lines}`)
  }

  open()
  return {
    onEvent(event) {
      state = fold(state, event, {now: clock.now()})
      const lines = linesOf(event, tellImage)
      if (lines !== '') say(lines)
    },
    suspend() {
      const shown = screen !== undefined
      close()
      return () => {
        if (shown && screen === undefined) open()
      }
    },
    finish(report) {
      close()
      stream.write(formatSummary(report))
    },
    close,
  }
}

/** The lines that stay on the screen. Other events only change the bars. */
function linesOf(event: MirrorEvent, tellImage: ReturnType<typeof imageTeller>): string {
  switch (event.type) {
    case 'image':
      return SAID.has(event.status) ? tellImage(event) : ''
    case 'note':
      return noteLine(event.text)
    case 'warning':
      return warningLine(event.text)
    case 'reading':
    case 'plan':
    case 'blob':
    case 'retry':
      break
  }
  return ''
}
