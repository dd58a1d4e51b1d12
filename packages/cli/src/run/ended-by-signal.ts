import type {StopSignal} from './signals.js'

/** The error of work that a signal ended: the exit code is that of the signal. */
export class EndedBySignal extends Error {
  readonly signal: StopSignal
  readonly error: unknown

  constructor(signal: StopSignal, error: unknown) {
    super(`ended by ${signal}`, {cause: error})
    this.signal = signal
    this.error = error
  }
}
