import type {ImageEvent} from '../engine/events.js'
import {formatFailures} from '../report/failures.js'
import {isFailed} from '../report/report.js'
import type {ProgressMode, ProgressStream, Renderer, RendererOptions} from './renderer.js'
import {createSilentRenderer} from './silent.js'

/**
 * `auto`: bars on a terminal, plain lines elsewhere. Loads the bars' library only if there are bars. If a run ends without a
 * summary, closing tells the failures so far: their causes are told nowhere else.
 */
export async function createRenderer(mode: ProgressMode, options: RendererOptions): Promise<Renderer> {
  const renderer = await rendererOf(mode, options)
  if (mode === 'json' && options.quiet !== true) return renderer
  let failed: ImageEvent[] = []
  return {
    ...renderer,
    onEvent(event) {
      if (event.type === 'image' && isFailed(event)) failed.push(event)
      renderer.onEvent(event)
    },
    finish(report) {
      failed = []
      renderer.finish(report)
    },
    close() {
      renderer.close()
      if (failed.length > 0) options.stream.write(formatFailures({images: failed}))
      failed = []
    },
  }
}

async function rendererOf(mode: ProgressMode, options: RendererOptions): Promise<Renderer> {
  const live = options.quiet === true ? 'none' : mode === 'auto' ? automatic(options.stream) : mode
  switch (live) {
    case 'bar':
      return (await import('./bar.js')).createBarRenderer(options)
    case 'plain':
      return (await import('./plain.js')).createPlainRenderer(options)
    case 'json':
      return (await import('./json.js')).createJsonRenderer(options)
    case 'none':
      break
  }
  return createSilentRenderer(options)
}

function automatic(stream: ProgressStream): 'bar' | 'plain' {
  return stream.isTTY === true ? 'bar' : 'plain'
}
