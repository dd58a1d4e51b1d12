import {cancelled} from '../model/index.js'
import {orAborted} from './or-aborted.js'

export interface SingleFlight<Result> {
  /**
   * Joins the running work for `key`, or starts it. A caller that gives up does not stop the others; the work's own
   * signal is aborted when no caller is left.
   * @throws the work's error, CANCELLED
   */
  run(key: string, work: (signal: AbortSignal) => Promise<Result>, options?: FlightOptions): Promise<Result>
}

interface FlightOptions {
  readonly signal?: AbortSignal
}

interface Flight<Result> {
  readonly result: Promise<Result>
  readonly abort: AbortController
  waiting: number
}

export function singleFlight<Result>(): SingleFlight<Result> {
  const flights = new Map<string, Flight<Result>>()

  const start = (key: string, work: (signal: AbortSignal) => Promise<Result>): Flight<Result> => {
    const abort = new AbortController()
    const result = work(abort.signal).finally(() => {
      if (flights.get(key) === flight) flights.delete(key)
    })
    const flight: Flight<Result> = {result, abort, waiting: 0}
    flights.set(key, flight)
    return flight
  }

  const leave = (key: string, flight: Flight<Result>): void => {
    flight.waiting -= 1
    if (flight.waiting > 0) return
    if (flights.get(key) === flight) flights.delete(key)
    flight.abort.abort(cancelled())
  }

  return {
    run: async (key, work, {signal} = {}) => {
      if (signal?.aborted) throw cancelled(signal)
      const flight = flights.get(key) ?? start(key, work)
      flight.waiting += 1
      try {
        return await orAborted(flight.result, signal)
      } finally {
        leave(key, flight)
      }
    },
  }
}
