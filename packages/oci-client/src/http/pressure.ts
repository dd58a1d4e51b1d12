/**
 * What one host bears at the moment, learnt from how it answers: requests at once are halved when it is pressed, and go up
 * again by one for each round of successes. Pure. Times in milliseconds on a clock that only grows.
 */
export interface Pressure {
  /** Requests at once. Its fraction is what successes have added so far. */
  readonly limit: number
  /** Nothing is sent before this. */
  readonly pausedUntil: number
  /** When it was pressed or gone last: how requests end that were sent before says nothing new. */
  readonly setbackAt: number
  /** Whether it ever answered for itself. */
  readonly answered: boolean
  /** Since when it does not answer any more. */
  readonly downSince: number | undefined
  /** Setbacks in a row since then. */
  readonly missed: number
  /** Between the starts of two requests: a limiter in front of the host counts them by the second. */
  readonly gap: number
  /** When it answered last without complaint. */
  readonly fineAt: number
}

/**
 * How a request ended, as far as it tells of the host. fine: answered. answered: with a failure that is no sign of pressure.
 * busy: too much at once. refused: 503 without a time, which a limiter answers, and a gateway without a host behind it. away: nobody is there, or only a gateway that says so. broken: the connection broke, which tells of
 * the link alone.
 */
export type Ending = 'fine' | 'answered' | 'busy' | 'refused' | 'away' | 'broken'

export interface Observation {
  readonly ending: Ending
  /** What `Retry-After` asks for. */
  readonly asked?: number | undefined
  readonly startedAt: number
  readonly now: number
  /** Requests in flight, this one included. */
  readonly active: number
}

export interface PressureBounds {
  /** The most requests at once. */
  readonly most: number
  /** The longest pause that `Retry-After` may ask for; one that asks for more is not waited for. */
  readonly longestPause: number
  /** How long a host that is gone is waited for. */
  readonly patience: number
}

const FIRST_PAUSE = 1000
const FIRST_GAP = 50
const LONGEST_GAP = 5000
/** After each success: slower than it grows, so that it settles a little above what the limiter asks for. */
const GAP_SHRINKS = 0.98
/** Milliseconds for which a success counts; the longest gap twice. */
const SERVING = 12_000
/** Between two looks at a host that is gone: short, since most come back within a minute. */
export const LONGEST_OUTAGE_PAUSE = 10_000
/** One failure may be one connection's; from the second on nobody else has to find out. */
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
    const gap = Math.min(Math.max(FIRST_GAP, pressure.gap * 2), LONGEST_GAP)
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

/** Whether the host answers others without complaint: a 503 in between is a limit, and no outage. */
export function isServing({fineAt}: Pressure, now: number): boolean {
  return now - fineAt <= SERVING
}

/** How many requests may be in flight; where the host is gone, one that looks whether it is back. */
export function roomIn(pressure: Pressure, now: number, bounds: PressureBounds): number {
  if (isLost(pressure, now, bounds)) return Number.POSITIVE_INFINITY
  if (now < pressure.pausedUntil) return 0
  return isGone(pressure) ? 1 : Math.floor(pressure.limit)
}

/** Several misses in a row: whoever looks next looks for everybody. */
export function isGone({missed}: Pressure): boolean {
  return missed >= MISSED_BEFORE_PAUSE
}

/** Gone for so long that nobody is to be kept waiting for it. */
function isLost({downSince}: Pressure, now: number, {patience}: PressureBounds): boolean {
  return downSince !== undefined && now - downSince >= patience
}

function missed(pressure: Pressure, observation: Observation, bounds: PressureBounds): Pressure {
  const {now, startedAt} = observation
  // A host that never answered is more likely misspelt than gone.
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

/** Once for all requests that were under way together. */
function lowered(pressure: Pressure, {startedAt, now, active}: Observation): Pressure {
  return startedAt < pressure.setbackAt
    ? pressure
    : {...pressure, limit: Math.max(1, Math.floor(Math.min(pressure.limit, active) / 2)), setbackAt: now}
}
