import type {OnEvent} from '../engine/events.js'
import type {Report} from '../report/report.js'
import type {Clock} from './clock.js'

export type ProgressMode = 'auto' | 'bar' | 'plain' | 'json' | 'none'

/** Where progress is written: standard error, or what a test puts in its place. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

export interface RendererOptions {
  readonly stream: ProgressStream
  /** Errors and warnings alone. */
  readonly quiet?: boolean | undefined
  /** Default: the system's. */
  readonly clock?: Clock | undefined
}

/** Shows a run while it goes on. Cannot affect it. */
export interface Renderer {
  readonly onEvent: OnEvent
  /** Takes what is live off the screen until the returned function is called, for a prompt. */
  readonly suspend: () => () => void
  /** Ends the display and writes the summary; nothing but what went wrong when quiet, nothing for a dry run. */
  readonly finish: (report: Report) => void
  /** Ends the display and gives the terminal back as it was. Idempotent; needed on every way out. */
  readonly close: () => void
}
