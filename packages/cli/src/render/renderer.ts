import type {OnEvent} from '../engine/events.js'
import type {Report} from '../report/report.js'
import type {Clock} from './clock.js'

export const PROGRESS_MODES = ['auto', 'bar', 'plain', 'json', 'none'] as const
export type ProgressMode = (typeof PROGRESS_MODES)[number]

/** The stream for progress: standard error, or a replacement in a test. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface RendererOptions {
  readonly stream: ProgressStream
  /** Errors and warnings alone. */
  readonly quiet?: boolean
  /** Default: the system's. */
  readonly clock?: Clock
}

/** Shows a run while it goes on. Cannot affect it. */
export interface Renderer {
  readonly onEvent: OnEvent
  /** Takes live progress off the screen for a prompt, until the returned function is called. */
  readonly suspend: () => () => void
  /** Ends the display and writes the summary: only failures if quiet, nothing for a dry run. */
  readonly finish: (report: Report) => void
  /** Ends the display and gives the terminal back as it was. Idempotent; needed on every way out. */
  readonly close: () => void
}
