import {Writable} from 'node:stream'
import type {BlobState, MirrorEvent} from '#src/engine/events.js'
import type {Clock} from '#src/render/clock.js'
import {fold, nothingYet, type ProgressState} from '#src/render/fold.js'
import {makeReport, type ReportImage} from '#src/report/report.js'

export function plan(bytes: number, images = 2): MirrorEvent {
  return {type: 'plan', images, blobs: 4, bytes}
}
export function blob(key: string, state: BlobState, sent = 0, size = 100, planned = size): MirrorEvent {
  return {
    type: 'blob',
    key,
    name: `ns/${key}`,
    state,
    sent,
    size,
    planned,
  }
}
export function ended(name: string): MirrorEvent {
  return {
    type: 'image',
    source: `gcr.io/${name}`,
    target: `host/${name}`,
    status: 'pushed',
  }
}
export function refused(name: string): MirrorEvent {
  return {
    type: 'image',
    source: `gcr.io/${name}`,
    target: `host/${name}`,
    status: 'failed',
    error: {code: 'DENIED', side: 'target', message: 'no push right', hint: 'ask for it'},
  }
}

function image(name: string): ReportImage {
  return {
    source: `gcr.io/${name}`,
    target: `host/${name}`,
    status: 'pushed',
    digestChanged: false,
    bytesUploaded: 1,
    attempts: 1,
  }
}
export const report = makeReport(
  {command: 'push', source: 'b', target: 'host', startedAt: new Date(0), finishedAt: new Date(34_000)},
  [image('a:1')],
)
export const SUMMARY = '1 image: 1 pushed, 0 present, 0 failed; 0 B sent; 34 s'

export type Timed = readonly [at: number, event: MirrorEvent]

export function folded(events: readonly Timed[]): ProgressState {
  let state = nothingYet
  for (const [now, event] of events) state = fold(state, event, {now})
  return state
}

/** A clock that a test sets: ticks happen when its time is reached. */
export function settableClock(): Clock & {set(time: number): void; readonly ticking: number} {
  let time = 0
  const timers = new Set<{next: number; every: number; tick: () => void}>()
  return {
    now: () => time,
    every(milliseconds, tick) {
      const timer = {next: time + milliseconds, every: milliseconds, tick}
      timers.add(timer)
      return () => timers.delete(timer)
    },
    get ticking() {
      return timers.size
    },
    set(to) {
      for (const timer of timers) {
        while (timer.next <= to) {
          time = timer.next
          timer.next += timer.every
          timer.tick()
        }
      }
      time = to
    },
  }
}

interface Screen extends Writable {
  isTTY: boolean
  columns: number
  rows: number
  readonly text: () => string
}

export function screen(fields: Partial<Pick<Screen, 'isTTY' | 'columns' | 'rows'>> = {}): Screen {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk
      done()
    },
  })
  return Object.assign(stream, {isTTY: false, columns: 100, rows: 24, ...fields, text: () => text})
}
