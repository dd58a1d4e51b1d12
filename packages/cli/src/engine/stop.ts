/** The two ways in which a run is asked to end. */
export interface Stop {
  /** Aborted to drain: nothing more is started, and transfers that are almost complete are finished. */
  readonly soon: AbortSignal
  /** Aborted to leave at once. */
  readonly now: AbortSignal
}
