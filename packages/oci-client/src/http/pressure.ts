/**
 * The load that one host bears, learnt from its answers. An overload halves the requests at once; each round of
 * successes adds one. Pure.
 * Times in milliseconds on a monotonic clock.
 */
export interface Pressure {
  /** Requests at once. Its fraction is the share that successes have added so far. */
  readonly limit: number
  /** Nothing is sent before this. */
  readonly pausedUntil: number
  /** Time of the last overload or outage. Requests sent before it bring no news. */
  readonly setbackAt: number
  /** True if the host itself ever answered. */
  readonly answered: boolean
  /** Start of the outage. */
  readonly downSince: number | undefined
  /** Setbacks in a row since then. */
  readonly missed: number
  /** Between the starts of two requests: a limiter in front of the host counts them by the second. */
  readonly gap: number
  /** Time of the last good answer. */
  readonly fineAt: number
}

/**
 * The end of a request, as evidence about the host.
 * fine: answered.
 * answered: with a failure that is no sign of overload.
 * busy: too many requests at once.
 * refused: 503 without a time, from a limiter, or from a gateway without a host behind it.
 * away: no server answered, or only a gateway that says so.
 * broken: the connection broke, which concerns the link alone.
 */
export type Ending = 'fine' | 'answered' | 'busy' | 'refused' | 'away' | 'broken'

export interface Observation {
  readonly ending: Ending
  /** Milliseconds asked for by `Retry-After`. */
  readonly asked?: number
  readonly startedAt: number
  readonly now: number
  /** Requests in flight, this one included. */
  readonly active: number
}

export interface PressureBounds {
  /** The most requests at once. */
  readonly most: number
  /** The longest pause and the longest gap. A `Retry-After` that asks for more is not kept. */
  readonly longestPause: number
  /** The longest wait for a host that is down. */
  readonly patience: number
}

const FIRST_PAUSE = 1000
const FIRST_GAP = 50
const LONGEST_GAP = 5000
/** After each success: slower than it grows, so that it settles a little above what the limiter asks for. */
const GAP_SHRINKS = 0.98
/** Milliseconds for which a success counts; the longest gap twice. */
const SERVING = 12_000
/** Between two checks of a host that is gone. Short, because most come back within a minute. */
export const LONGEST_OUTAGE_PAUSE = 10_000
/** A failure may concern one connection. After two, the others need not try. */
const MISSED_BEFORE_PAUSE = 2

export function noPressure({most}: PressureBounds): Pressure {
  return {
    limit: most,
    pausedUntil: 0,
    setbackAt: 0,
    answered: false,
    downSince: undefined,
    missed: 0,
    gap: 0,
    fineAt: Number.NEGATIVE_INFINITY,
  }
}

export function pressureAfter(
  pressure: Pressure,
  observation: Observation,
  bounds: PressureBounds,
): Pressure {
  const {ending, startedAt, now} = observation
  const {limit, setbackAt} = pressure
  if (ending === 'broken') return pressure
  if (ending === 'refused' && isServing(pressure, now)) {
    const gap = Math.min(Math.max(FIRST_GAP, pressure.gap * 2), LONGEST_GAP, bounds.longestPause)
    // Requests that were under way together say it once.
    return startedAt < setbackAt
      ? pressure
      : {...lowered(pressure, observation), gap, pausedUntil: Math.max(pressure.pausedUntil, now + gap)}
  }
  if (ending === 'away' || ending === 'refused') return missed(pressure, observation, bounds)
  const up: Pressure = {...pressure, answered: true, downSince: undefined, missed: 0}
  if (ending === 'answered') return up
  if (ending === 'fine') {
    const raised = startedAt < setbackAt ? limit : Math.min(bounds.most, limit + 1 / limit)
    const gap = pressure.gap < FIRST_GAP ? 0 : pressure.gap * GAP_SHRINKS
    return {...up, limit: raised, gap, fineAt: now}
  }
  const {asked = 0} = observation
  const pausedUntil = asked > bounds.longestPause ? 0 : now + asked
  return {...lowered(up, observation), pausedUntil: Math.max(pressure.pausedUntil, pausedUntil)}
}

/** Returns true if the host recently answered well: a 503 in between is then a limit, and no outage. */
export function isServing({fineAt}: Pressure, now: number): boolean {
  return now - fineAt <= SERVING
}

/** Returns how many requests may be in flight: one, to check the host, if it is gone. */
export function roomIn(pressure: Pressure, now: number, bounds: PressureBounds): number {
  if (isLost(pressure, now, bounds)) return Number.POSITIVE_INFINITY
  if (now < pressure.pausedUntil) return 0
  return isGone(pressure) ? 1 : Math.floor(pressure.limit)
}

/** Returns true after several misses in a row: the next request then checks for all others. */
export function isGone({missed}: Pressure): boolean {
  return missed >= MISSED_BEFORE_PAUSE
}

/** Returns true if the outage is too long to keep requests waiting. */
function isLost({downSince}: Pressure, now: number, {patience}: PressureBounds): boolean {
  return downSince !== undefined && now - downSince >= patience
}

function missed(pressure: Pressure, observation: Observation, bounds: PressureBounds): Pressure {
  const {now, startedAt} = observation
  // A host that never answered more likely has a wrong name than an outage.
  if (!pressure.answered) return pressure
  const down = {...pressure, downSince: pressure.downSince ?? now}
  if (startedAt < pressure.setbackAt) return down
  const count = pressure.missed + 1
  const pause = Math.min(
    FIRST_PAUSE * 2 ** Math.min(count - MISSED_BEFORE_PAUSE, 30),
    LONGEST_OUTAGE_PAUSE,
    bounds.longestPause,
  )
  const pausedUntil = count < MISSED_BEFORE_PAUSE ? 0 : now + pause
  return {
    ...lowered(down, observation),
    missed: count,
    pausedUntil: Math.max(pressure.pausedUntil, pausedUntil),
  }
}

/** Lowers the limit only once for all requests that were in flight together. */
function lowered(pressure: Pressure, {startedAt, now, active}: Observation): Pressure {
  return startedAt < pressure.setbackAt
    ? pressure
    : {...pressure, limit: Math.max(1, Math.floor(Math.min(pressure.limit, active) / 2)), setbackAt: now}
}
