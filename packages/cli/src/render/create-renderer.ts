import type {ProgressMode, ProgressStream, Renderer, RendererOptions} from './renderer.js'
import {createSilentRenderer} from './silent.js'

/** `auto`: bars on a terminal, plain lines elsewhere. Loads the bars' library only if there are bars. */
export async function createRenderer(mode: ProgressMode, options: RendererOptions): Promise<Renderer> {
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
