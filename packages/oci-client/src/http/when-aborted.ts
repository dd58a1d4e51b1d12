import {setMaxListeners} from 'node:events'

/**
 * Calls back when the signal is aborted. A signal may have any number of these callbacks: one run shares its signal
 * among all requests, so Node's warning about ten listeners is switched off.
 * @returns cancels the callback and releases everything it holds. A removed listener may stay in memory until the
 * signal's whole list is collected. It should hold nothing then, because the signal of a run has tens of thousands of
 * them.
 */
export function whenAborted(signal: AbortSignal | undefined, callBack: () => void): () => void {
  if (signal === undefined) return () => {}
  setMaxListeners(0, signal)
  let work: (() => void) | undefined = callBack
  const listener = (): void => work?.()
  signal.addEventListener('abort', listener, {once: true})
  return () => {
    work = undefined
    signal.removeEventListener('abort', listener)
  }
}
