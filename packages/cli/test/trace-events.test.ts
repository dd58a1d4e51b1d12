import {expect, test} from 'vitest'
import type {Span, SpanKind} from '@airgap-mirror/oci-client/model'
import {seededRandom} from '@airgap-mirror/test/kit'
import {TraceEvents, type TraceEvent} from '#src/report/trace-events.js'

const KINDS: readonly SpanKind[] = ['blob', 'request', 'decoding', 'step']

test('overlapping spans never share a lane, whatever their order', () => {
  const seed = String(Math.random())
  const next = seededRandom(seed)
  const events = new TraceEvents(100)
  const written: TraceEvent[] = []
  const open: Span[] = []
  let now = 100
  for (let step = 0; step < 2000; step++) {
    now += next() * 0.01
    if (open.length === 0 || next() < 0.52) {
      const kind = KINDS[Math.floor(next() * KINDS.length)] ?? 'step'
      const span: Span = {kind, name: `${step}`, host: kind === 'request' ? `h${step % 3}` : undefined}
      open.push(span)
      written.push(...events.begin(span, now))
    } else {
      const [span] = open.splice(Math.floor(next() * open.length), 1)
      if (span !== undefined) written.push(...events.end(span, now))
    }
  }
  written.push(...events.endAll(now))

  const lanes = new Map<string, TraceEvent[]>()
  for (const event of written.filter(({ph}) => ph === 'X')) {
    const lane = `${event.pid}/${event.tid}`
    lanes.set(lane, [...(lanes.get(lane) ?? []), event])
  }
  for (const [lane, spans] of lanes) {
    const inOrder = spans.toSorted((a, b) => (a.ts ?? 0) - (b.ts ?? 0) || (a.dur ?? 0) - (b.dur ?? 0))
    let end = 0
    for (const {ts = 0, dur = 0} of inOrder) {
      expect(ts, `lane ${lane}, seed ${seed}`).toBeGreaterThanOrEqual(end)
      end = ts + dur
    }
  }
})

test('a host that redirects to endless others gets one group of lanes for the rest', () => {
  const events = new TraceEvents(0)
  const groups = Array.from({length: 500}, (_, index) =>
    events.begin({kind: 'request', name: 'GET /', host: `h${index}`}, index),
  ).flatMap((written) => written.filter(({name}) => name === 'process_name'))
  expect(groups).toHaveLength(51)
  expect(groups.at(-1)?.args).toEqual({name: 'requests to other hosts'})
})

test('a wait of less than a millisecond is left out', () => {
  const events = new TraceEvents(0)
  const short: Span = {kind: 'waiting', name: 'slot'}
  const long: Span = {kind: 'waiting', name: 'slot'}
  events.begin(short, 0)
  expect(events.end(short, 0.9)).toEqual([])
  events.begin(long, 1)
  expect(events.end(long, 3)).toMatchObject([{ts: 1000, dur: 2000}])
})
