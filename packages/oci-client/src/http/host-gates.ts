import {
  isGone,
  isServing,
  noPressure,
  pressureAfter,
  roomIn,
  type Ending,
  type Pressure,
  type PressureBounds,
} from './pressure.js'
import {parseRetryAfter, timeOf} from './retry-after.js'
import type {HttpRequest, HttpResponse, Middleware} from './send.js'
import {requestName} from './tracing.js'
import {isUnreachable} from './transport-error.js'
import {whenAborted} from './when-aborted.js'
import {cancelled, inSpan, limits} from '../model/index.js'

/** The condition of a host, for retry decisions. Times in milliseconds. */
export interface HostCondition {
  /** True if the host ever answered. */
  readonly answered: boolean
  /** Start of an outage on a monotonic clock, and its length so far; undefined if the host answers. */
  readonly outage: {readonly since: number; readonly lasts: number} | undefined
  /** True if the host accepts other requests: a refusal then comes from a limiter, so requests are spaced out. */
  readonly limits?: boolean
  /** Time until requests to the host may be sent again. */
  readonly pausedFor: number
}

export interface HostGates {
  /** Limits the requests in flight to a host, in their order. Requests without a stream overtake waiting streams. */
  readonly gated: Middleware
  readonly conditionOf: (origin: string) => HostCondition
}

/**
 * Makes one gate for each origin, which every request to it passes. All requests keep a pause that the host asks for.
 * If the host is gone, one request at a time checks if it is back.
 * @param bounds for one host
 */
export function hostGates(
  bounds: PressureBounds,
  {now = () => performance.now()}: {readonly now?: () => number} = {},
): HostGates {
  const gates = new Map<string, HostGate>()
  const gateOf = (origin: string): HostGate => {
    const known = gates.get(origin)
    if (known !== undefined) return known
    const [oldest] = gates.keys()
    if (gates.size >= limits.origins && oldest !== undefined) gates.delete(oldest)
    const gate = new HostGate(bounds, now)
    gates.set(origin, gate)
    return gate
  }
  return {
    gated: (next) => async (request) => gateOf(request.url.origin).pass(request, () => next(request)),
    conditionOf: (origin) => gateOf(origin).condition(),
  }
}

interface Passage {
  readonly isStream: boolean
  startedAt: number
}

interface Waiting {
  readonly passage: Passage
  readonly enter: () => void
}

class HostGate {
  readonly #bounds: PressureBounds
  readonly #now: () => number
  #pressure: Pressure
  readonly #inside = new Set<Passage>()
  #queue: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #admittedAt = Number.NEGATIVE_INFINITY

  constructor(bounds: PressureBounds, now: () => number) {
    this.#bounds = bounds
    this.#now = now
    this.#pressure = noPressure(bounds)
  }

  condition(): HostCondition {
    const {answered, downSince, pausedUntil} = this.#pressure
    const now = this.#now()
    return {
      answered,
      outage: downSince === undefined ? undefined : {since: downSince, lasts: now - downSince},
      limits: this.#pressure.gap > 0 && isServing(this.#pressure, now),
      pausedFor: Math.max(0, pausedUntil - now),
    }
  }

  async pass(request: HttpRequest, send: () => Promise<HttpResponse>): Promise<HttpResponse> {
    const {body, signal, optional} = request
    const passage: Passage = {isStream: body !== undefined && 'stream' in body, startedAt: 0}
    await inSpan(
      () => ({kind: 'waiting', name: `slot for ${requestName(request)}`}),
      () => this.#enter(passage, signal),
    )
    try {
      const response = await send()
      const ending = optional === true && response.status >= 500 ? 'answered' : endingOf(response)
      this.#leave(passage, ending, parseRetryAfter(response.header('retry-after'), timeOf(response)))
      return response
    } catch (error) {
      this.#leave(passage, isUnreachable(error) ? 'away' : 'broken')
      throw error
    }
  }

  #enter(passage: Passage, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled(signal))
      const detach = whenAborted(signal, () => {
        this.#queue = this.#queue.filter((other) => other !== waiting)
        reject(cancelled(signal))
      })
      const waiting: Waiting = {
        passage,
        enter: () => {
          detach()
          passage.startedAt = this.#now()
          this.#admittedAt = passage.startedAt
          this.#inside.add(passage)
          resolve()
        },
      }
      this.#queue.push(waiting)
      this.#admit()
    })
  }

  #leave(passage: Passage, ending: Ending, asked?: number): void {
    const observation = {
      ending,
      asked,
      startedAt: passage.startedAt,
      now: this.#now(),
      active: this.#inside.size,
    }
    this.#pressure = pressureAfter(this.#pressure, observation, this.#bounds)
    this.#inside.delete(passage)
    this.#admit()
  }

  #admit(): void {
    clearTimeout(this.#timer)
    const now = this.#now()
    const room = roomIn(this.#pressure, now, this.#bounds)
    const {gap} = this.#pressure
    const early = this.#admittedAt + gap - now
    if (room > 0 && gap > 0 && this.#queue.length > 0) {
      const next = early > 0 ? undefined : this.#queue.find(({passage}) => this.#fits(passage, room))
      if (next !== undefined) {
        this.#queue = this.#queue.filter((waiting) => waiting !== next)
        next.enter()
      }
      if (this.#queue.length > 0)
        this.#timer = setTimeout(() => this.#admit(), Math.ceil(Math.max(early, gap)) + 1)
    } else if (room > 0) {
      this.#queue = this.#queue.filter((waiting) => {
        if (!this.#fits(waiting.passage, room)) return true
        waiting.enter()
        return false
      })
    } else if (this.#queue.length > 0) {
      // A timer may be early by a fraction of a millisecond.
      const wait = Math.ceil(this.#pressure.pausedUntil - now) + 1
      this.#timer = setTimeout(() => this.#admit(), wait)
    }
  }

  #fits({isStream}: Passage, room: number): boolean {
    const inside = [...this.#inside]
    // Requests from before the outage may hang for long, so they cannot tell if the host is back.
    if (isGone(this.#pressure) && room === 1)
      return !inside.some(({startedAt}) => startedAt >= this.#pressure.setbackAt)
    // One extra place is for small requests, so that they do not wait behind large blobs.
    return isStream ? inside.filter((other) => other.isStream).length < room : inside.length < room + 1
  }
}

/** 503 with a time comes from an overloaded registry, without one from a gateway or a starting registry. */
function endingOf(response: HttpResponse): Ending {
  const {status} = response
  if (status === 429) return 'busy'
  if (status === 503) return response.header('retry-after') === undefined ? 'refused' : 'busy'
  if (status === 502 || status === 504) return 'away'
  return status >= 500 || status === 408 || status === 425 ? 'answered' : 'fine'
}
