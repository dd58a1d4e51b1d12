/**
 * Calls back once where the signal is aborted.
 * @returns what calls it off, and lets go of everything that the callback holds. Listeners of one signal are linked in the
 * order in which they came, and one that was removed may stay in memory until all of it is searched for garbage: it should
 * hold nothing then, for a run's signal has ten thousands of them.
 */
export function whenAborted(signal: AbortSignal | undefined, callBack: () => void): () => void {
  if (signal === undefined) return () => {}
  let work: (() => void) | undefined = callBack
  const listener = (): void => work?.()
  signal.addEventListener('abort', listener, {once: true})
  return () => {
    work = undefined
    signal.removeEventListener('abort', listener)
  }
}
