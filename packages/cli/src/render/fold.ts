import type {BlobEvent, ImageEvent, MirrorEvent, PlanEvent} from '../engine/events.js'
import {isFailed} from '../report/report.js'

export interface ActiveBlob {
  readonly name: string
  readonly sent: number
  readonly size: number
  readonly planned: number
}

/** The progress at a moment: bytes sent over the wire, and the part of the plan that they stood for. */
interface Sample {
  readonly time: number
  readonly sent: number
  readonly carried: number
}

/** The sum of all events so far, in bytes and milliseconds. Its size grows with the blobs in flight, not with the run. */
export interface ProgressState {
  readonly reading: {readonly bytes: number; readonly total?: number} | undefined
  readonly plan: Omit<PlanEvent, 'type'> | undefined
  readonly active: ReadonlyMap<string, ActiveBlob>
  /** Bytes on the wire of blobs that are through. */
  readonly sent: number
  /** Sizes of the blobs that were sent, and those that the plan counted of blobs that were given up. */
  readonly carried: number
  readonly failed: number
  /** Counted by the plan, and not to be sent: mounted, or there already. */
  readonly saved: number
  /** Sent although the plan hoped to mount them. */
  readonly extra: number
  /** The highest fraction so far: bytes that are sent again do not take the bar back. */
  readonly reached: number
  readonly images: {readonly done: number; readonly failed: number}
  /** When the first byte was sent; undefined before. */
  readonly since: number | undefined
  readonly retry: {readonly what: string; readonly reason: string; readonly until: number} | undefined
  readonly samples: readonly Sample[]
}

/** The rate is measured over the last 15 s: steady enough to read, quick enough to show a stall. */
const WINDOW = 15_000
const SAMPLE_EVERY = 500

export const nothingYet: ProgressState = {
  reading: undefined,
  plan: undefined,
  active: new Map(),
  sent: 0,
  carried: 0,
  failed: 0,
  saved: 0,
  extra: 0,
  reached: 0,
  images: {done: 0, failed: 0},
  since: undefined,
  retry: undefined,
  samples: [],
}

/** @param options `at`: when it happened, in milliseconds of any clock that only goes forward */
export function fold(
  state: ProgressState,
  event: MirrorEvent,
  options: {readonly now: number},
): ProgressState {
  const next = foldOne(state, event, options)
  const reached = event.type === 'blob' || event.type === 'image' ? (fractionOf(next) ?? 0) : 0
  return reached > next.reached ? {...next, reached} : next
}

function foldOne(state: ProgressState, event: MirrorEvent, {now}: {readonly now: number}): ProgressState {
  switch (event.type) {
    case 'reading':
      return {...state, reading: event}
    case 'plan':
      return sampled(planned(state, event), now)
    case 'blob':
      return sampled(started(foldBlob(state, event), now), now)
    case 'image':
      return {...state, images: foldImage(state.images, event)}
    case 'retry':
      return {...state, retry: {what: event.what, reason: event.reason, until: now + event.wait}}
    case 'note':
    case 'warning':
      break
  }
  return state
}

function planned(state: ProgressState, event: PlanEvent): ProgressState {
  const ended = (event.ended ?? 0) - (state.plan?.ended ?? 0)
  return {
    ...state,
    plan: event,
    // A pass that begins from now on is another one.
    reading: undefined,
    images: {...state.images, done: state.images.done + ended},
  }
}

/** Until the first byte the time that passes says nothing of the rate. */
function started(state: ProgressState, now: number): ProgressState {
  if (state.since !== undefined || sampleOf(state, now).sent === 0) return state
  return {...state, since: now}
}

function foldBlob(state: ProgressState, event: BlobEvent): ProgressState {
  const {key, name, state: how, sent, size, planned = size} = event
  const active = new Map(state.active)
  if (how === 'started' || how === 'progress') {
    active.set(key, {name, sent, size, planned})
    return {...state, active}
  }
  active.delete(key)
  const settled = {...state, active}
  if (how === 'failed') return {...settled, failed: state.failed + planned}
  if (how !== 'uploaded') return {...settled, saved: state.saved + planned}
  return {
    ...settled,
    sent: state.sent + sent,
    carried: state.carried + size,
    extra: state.extra + size - planned,
  }
}

function foldImage(images: ProgressState['images'], event: ImageEvent): ProgressState['images'] {
  return isFailed(event) ? {...images, failed: images.failed + 1} : {...images, done: images.done + 1}
}

function sampled(state: ProgressState, now: number): ProgressState {
  if (state.since === undefined) return {...state, samples: [sampleOf(state, now)]}
  const last = state.samples.at(-1)
  if (last !== undefined && now - last.time < SAMPLE_EVERY) return state
  const firstInWindow = state.samples.findIndex((sample) => sample.time > now - WINDOW)
  // one sample before the window stays: it is where the window's rate is measured from
  const kept = state.samples.slice(
    Math.max(0, firstInWindow < 0 ? state.samples.length - 1 : firstInWindow - 1),
  )
  return {...state, samples: [...kept, sampleOf(state, now)]}
}

function sampleOf(state: ProgressState, now: number): Sample {
  let sent = state.sent
  let {carried} = state
  for (const blob of state.active.values()) {
    sent += blob.sent
    carried += Math.min(blob.sent, blob.size)
  }
  return {time: now, sent, carried}
}

export interface Progress {
  /** Bytes sent over the wire. */
  readonly sent: number
  /** Bytes of the plan that are sent, or were given up. */
  readonly done: number
  /** Bytes to send in all: blobs that turn out to be there or are mounted do not count. */
  readonly total: number | undefined
  /** From 0 to 1, never less than before; 1 only once every image has come to its end. */
  readonly fraction: number | undefined
  /** Bytes per second on the wire, over the last 15 s; undefined in the first moments. */
  readonly rate: number | undefined
  /** Milliseconds; undefined while nobody can tell: before three seconds of data, and in a stall. */
  readonly left: number | undefined
}

/** The first seconds say too little of the rate. */
const LEFT_AFTER = 3000

/** Below the whole by less than any display shows. */
const ALMOST = 0.9999

function fractionOf(state: ProgressState): number | undefined {
  const {plan, images} = state
  const total = totalOf(state)
  if (plan === undefined || total === undefined) return undefined
  if (images.done + images.failed >= plan.images) return 1
  const behind = sampleOf(state, 0).carried + state.failed
  const fraction = total === 0 ? 0 : behind / total
  return Math.max(state.reached, Math.min(fraction, ALMOST))
}

/** A blob that was to be mounted joins the work once bytes of it are sent. */
function totalOf({plan, saved, extra, active}: ProgressState): number | undefined {
  if (plan === undefined) return undefined
  let total = plan.bytes - saved + extra
  for (const blob of active.values()) if (blob.sent > 0) total += blob.size - blob.planned
  return Math.max(0, total)
}

/** Returns the progress of a run at a moment. */
export function progressOf(state: ProgressState, {now}: {readonly now: number}): Progress {
  const {sent, carried} = sampleOf(state, now)
  const total = totalOf(state)
  const behind = carried + state.failed
  const done = total === undefined ? behind : Math.min(behind, total)
  const fraction = fractionOf(state)
  const base = state.samples.findLast((sample) => sample.time <= now - WINDOW) ?? state.samples[0]
  const elapsed = base === undefined ? 0 : now - base.time
  if (base === undefined || elapsed < SAMPLE_EVERY) {
    return {sent, done, total, fraction, rate: undefined, left: undefined}
  }
  const perSecond = (from: number, to: number): number => (Math.max(0, to - from) / elapsed) * 1000
  // compressed on the way, a layer is smaller on the wire than in the plan: the plan's bytes tell the time
  const speed = perSecond(base.carried, carried)
  const isEarly = state.since === undefined || now - state.since < LEFT_AFTER
  const left = total === undefined || speed === 0 || isEarly ? undefined : ((total - done) / speed) * 1000
  return {sent, done, total, fraction, rate: perSecond(base.sent, sent), left}
}
