import {setMaxListeners} from 'node:events'
import {MirrorError} from '@airgap-mirror/oci-client/model'

type StopSignal = 'SIGINT' | 'SIGTERM'

export interface Interruption extends Disposable {
  /** Aborted by the first signal: finish what is nearly done, start nothing more. */
  readonly drain: AbortSignal
  /** Aborted when draining has taken too long. A second signal leaves at once, without it. */
  readonly now: AbortSignal
  /** The signal that came, if one did. */
  received(): StopSignal | undefined
}

const DRAIN_MILLISECONDS = 30_000

/** Listens for SIGINT and SIGTERM until disposed. @param onLeave last thing before a second signal ends the process */
export function listenForSignals(options: {
  readonly onDrain: () => void
  readonly onLeave: () => void
}): Interruption {
  const drain = new AbortController()
  const now = new AbortController()
  // every transfer and every request listens, and that is no leak
  setMaxListeners(0, drain.signal, now.signal)
  let received: StopSignal | undefined
  let timer: NodeJS.Timeout | undefined
  const listen = (signal: StopSignal): void => {
    if (received !== undefined) {
      options.onLeave()
      process.exit(received === 'SIGINT' ? 130 : 143)
    }
    received = signal
    const reason = new MirrorError('CANCELLED', `stopped by ${signal}`)
    timer = setTimeout(() => now.abort(reason), DRAIN_MILLISECONDS).unref()
    options.onDrain()
    drain.abort(reason)
  }
  process.on('SIGINT', listen).on('SIGTERM', listen)
  return {
    drain: drain.signal,
    now: now.signal,
    received: () => received,
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      process.off('SIGINT', listen).off('SIGTERM', listen)
    },
  }
}
