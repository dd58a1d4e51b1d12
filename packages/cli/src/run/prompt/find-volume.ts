import type {Renderer} from '../../render/renderer.js'
import {canPrompt} from './controlling-terminal.js'

/** Returns the directory of a volume; undefined to give up. */
export type LocateVolume = (name: string) => Promise<string | undefined>

/**
 * Returns a function whose results ask the person at the terminal for the directories of volumes. A directory that was
 * given before is looked into before the person is asked again. Without a terminal there is nobody to ask.
 */
export function volumeFinder(
  {renderer}: {readonly renderer: Pick<Renderer, 'suspend'>},
  {signal}: {readonly signal?: AbortSignal},
): () => LocateVolume | undefined {
  const given: string[] = []
  return () => {
    if (!canPrompt()) return undefined
    const tried = new Map<string, number>()
    return async (name) => {
      const next = tried.get(name) ?? 0
      tried.set(name, next + 1)
      const known = given.toReversed()[next]
      if (known !== undefined) return known
      const resume = renderer.suspend()
      try {
        const {askDirectory} = await import('./ask-directory.js')
        const directory = await askDirectory(name, {signal})
        given.push(directory)
        return directory
      } finally {
        resume()
      }
    }
  }
}
