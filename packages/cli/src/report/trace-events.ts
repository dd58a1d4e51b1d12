import type {Span, SpanDetails, SpanKind} from '@airgap-mirror/oci-client/model'

/** An event of Chrome's Trace Event Format: `X` is a span, `M` names a lane. Times in microseconds. */
export interface TraceEvent {
  readonly ph: 'X' | 'M'
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: SpanKind
  readonly args: SpanDetails
}

/** The groups of lanes, in the order in which they are shown. Requests have a group for each host. */
const GROUPS: Readonly<Record<Exclude<SpanKind, 'request'>, string>> = {
  step: 'steps',
  blob: 'blobs',
  manifest: 'manifests',
  decoding: 'decoding',
  compression: 'compression',
  waiting: 'waiting',
}
/** Waits shorter than this, in milliseconds, say nothing. */
const SHORT_WAIT = 1
/** Hosts that have lanes of their own. A hostile registry could redirect to endless ones. */
const MOST_HOSTS = 50

interface Group {
  readonly pid: number
  readonly lanes: (Span | undefined)[]
}

interface OpenSpan {
  readonly group: Group
  readonly lane: number
  readonly begun: number
}

/** Turns spans into events. Spans that overlap get different lanes, because a viewer nests the spans of one lane. */
export class TraceEvents {
  readonly #startedAt: number
  readonly #groups = new Map<string, Group>()
  readonly #open = new Map<Span, OpenSpan>()

  /** @param startedAt the zero of all times, in milliseconds */
  constructor(startedAt: number) {
    this.#startedAt = startedAt
  }

  /** Returns the events that name a lane that is used for the first time. */
  begin(span: Span, now: number): readonly TraceEvent[] {
    const {group, events} = this.#groupOf(span)
    const free = group.lanes.indexOf(undefined)
    const lane = free < 0 ? group.lanes.length : free
    const isNew = lane === group.lanes.length
    group.lanes[lane] = span
    this.#open.set(span, {group, lane, begun: now})
    if (!isNew) return events
    return [...events, named('thread_name', {pid: group.pid, tid: lane + 1, name: `lane ${lane + 1}`})]
  }

  end(span: Span, now: number, details: SpanDetails = {}): readonly TraceEvent[] {
    const open = this.#open.get(span)
    if (open === undefined) return []
    this.#open.delete(span)
    const {group, lane, begun} = open
    group.lanes[lane] = undefined
    if (span.kind === 'waiting' && now - begun < SHORT_WAIT) return []
    const ts = this.#microseconds(begun)
    const {kind: cat, name} = span
    return [
      {
        ph: 'X',
        name,
        cat,
        pid: group.pid,
        tid: lane + 1,
        ts,
        dur: this.#microseconds(now) - ts,
        args: {...span.details, ...details},
      },
    ]
  }

  /** Ends all open spans, marked as unfinished. */
  endAll(now: number): readonly TraceEvent[] {
    return [...this.#open.keys()].flatMap((span) => this.end(span, now, {unfinished: true}))
  }

  #microseconds(time: number): number {
    return Math.max(0, Math.floor((time - this.#startedAt) * 1000))
  }

  #groupOf(span: Span): {readonly group: Group; readonly events: readonly TraceEvent[]} {
    const name = span.kind === 'request' ? this.#hostGroup(span.host ?? '') : GROUPS[span.kind]
    const known = this.#groups.get(name)
    if (known !== undefined) return {group: known, events: []}
    const group: Group = {pid: this.#groups.size + 1, lanes: []}
    this.#groups.set(name, group)
    // Perfetto reads 0 as the number of the process, and adds a lane without spans.
    return {group, events: [named('process_name', {pid: group.pid, tid: 1, name})]}
  }

  #hostGroup(host: string): string {
    const name = `requests to ${host}`
    const isFull = this.#groups.size >= MOST_HOSTS && !this.#groups.has(name)
    return isFull ? 'requests to other hosts' : name
  }
}

function named(
  event: 'process_name' | 'thread_name',
  {pid, tid, name}: {readonly pid: number; readonly tid: number; readonly name: string},
): TraceEvent {
  return {ph: 'M', name: event, pid, tid, args: {name}}
}
