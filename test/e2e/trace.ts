import {readFile} from 'node:fs/promises'

/** An event of Chrome's Trace Event Format, as far as the tests look at it. */
export interface ReadEvent {
  readonly ph: string
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly args: Readonly<Record<string, unknown>>
}

export async function readTrace(path: string): Promise<readonly ReadEvent[]> {
  return JSON.parse(await readFile(path, 'utf8')) as readonly ReadEvent[]
}

export function spans(events: readonly ReadEvent[], cat: string): readonly ReadEvent[] {
  return events.filter((event) => event.ph === 'X' && event.cat === cat)
}

/**
 * Returns the faults of a trace: events of another form, spans that overlap others of their lane, and lanes without a
 * name.
 */
export function faultsOfTrace(events: readonly ReadEvent[]): readonly string[] {
  const faults: string[] = []
  const named = new Set<string>()
  const lanes = new Map<string, ReadEvent[]>()
  for (const event of events) {
    const lane = `${event.pid}/${event.tid}`
    // Perfetto takes 0 for no number, which gives the process a lane of its own.
    if (event.tid === 0) faults.push(`no lane: ${JSON.stringify(event)}`)
    if (event.ph === 'M') {
      named.add(event.name === 'process_name' ? String(event.pid) : lane)
      continue
    }
    const {ts, dur} = event
    const isTimed =
      Number.isSafeInteger(ts) && Number.isSafeInteger(dur) && Number(ts) >= 0 && Number(dur) >= 0
    if (event.ph !== 'X' || !isTimed) faults.push(`not a timed span: ${JSON.stringify(event)}`)
    lanes.set(lane, [...(lanes.get(lane) ?? []), event])
  }
  for (const [lane, own] of lanes) {
    if (!named.has(lane) || !named.has(lane.split('/')[0] ?? '')) faults.push(`lane ${lane} has no name`)
    let end = 0
    for (const {name, ts = 0, dur = 0} of own.toSorted((a, b) => (a.ts ?? 0) - (b.ts ?? 0))) {
      if (ts < end) faults.push(`${name} begins at ${ts}, before lane ${lane} is free at ${end}`)
      end = ts + dur
    }
  }
  return faults
}
