import {formatSummary} from '../report/summary.js'
import type {Renderer, RendererOptions} from './renderer.js'
import {warningLine} from './event-line.js'

/** No progress: warnings as they come, and the summary. */
export function createSilentRenderer({stream, quiet}: RendererOptions): Renderer {
  return {
    onEvent(event) {
      if (event.type === 'warning') stream.write(warningLine(event.text))
    },
    suspend: () => () => {},
    finish(report) {
      stream.write(formatSummary(report, {quiet}))
    },
    close() {},
  }
}
