/** Time as a parameter. Milliseconds. */
export interface Clock {
  now(): number
  /** Calls `tick` again and again until the returned function is called. */
  every(milliseconds: number, tick: () => void): () => void
}

/** The wall clock; its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds).unref()
    return () => {
      clearInterval(timer)
    }
  },
}
