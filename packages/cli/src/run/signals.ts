import {setMaxListeners} from 'node:events'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {formatDuration} from '../text/format-quantity.js'
import {letGoOfTerminals} from './standard-streams.js'
import type {Stop} from '../engine/stop.js'

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** As shells report a process that a signal ended. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = {SIGHUP: 129, SIGINT: 130, SIGTERM: 143}

export interface Interruption extends Stop, Disposable {
  /** The signal that came, if any did. */
  received(): StopSignal | undefined
  /** Returns true if `--timeout` ended the run. */
  isOverdue(): boolean
  /** Stops the clock of `timeout` until the returned function is called. */
  pause(): () => void
}

const DRAIN_MILLISECONDS = 30_000

/**
 * Listens for SIGINT, SIGTERM and SIGHUP until disposed. The first aborts `soon`, and `now` if draining takes too long; the second
 * ends the process.
 * @param options.onLeave called last before a second signal ends the process
 */
export function listenForSignals(options: {
  readonly onDrain: () => void
  readonly onLeave: () => void
  /** Milliseconds until both abort with TIMEOUT; absent: never. */
  readonly timeout?: number
}): Interruption {
  const soon = new AbortController()
  const now = new AbortController()
  // One listener per transfer and request is expected: Node's warning about leaks is disabled.
  setMaxListeners(0, soon.signal, now.signal)
  let received: StopSignal | undefined
  let timer: NodeJS.Timeout | undefined
  const listen = (signal: StopSignal): void => {
    if (received !== undefined) {
      options.onLeave()
      process.exit(EXIT_CODES[received])
    }
    received = signal
    if (signal === 'SIGHUP') process.once('exit', () => letGoOfTerminals())
    const reason = new MirrorError('CANCELLED', `stopped by ${signal}`)
    timer = setTimeout(() => now.abort(reason), DRAIN_MILLISECONDS).unref()
    options.onDrain()
    soon.abort(reason)
  }
  let isOverdue = false
  const {timeout} = options
  const end = (): void => {
    isOverdue = true
    const reason = new MirrorError('TIMEOUT', `the run took longer than ${formatDuration(timeout ?? 0)}`, {
      advice: {kind: 'raise-timeout'},
    })
    soon.abort(reason)
    now.abort(reason)
  }
  let overdue: NodeJS.Timeout | undefined
  let left = timeout ?? 0
  let begun = 0
  const begin = (): void => {
    if (timeout === undefined) return
    begun = performance.now()
    overdue = setTimeout(end, Math.max(0, left)).unref()
  }
  begin()
  process.on('SIGINT', listen).on('SIGTERM', listen).on('SIGHUP', listen)
  return {
    soon: soon.signal,
    now: now.signal,
    received: () => received,
    isOverdue: () => isOverdue,
    pause() {
      clearTimeout(overdue)
      left -= performance.now() - begun
      return begin
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      clearTimeout(overdue)
      process.off('SIGINT', listen).off('SIGTERM', listen).off('SIGHUP', listen)
    },
  }
}
