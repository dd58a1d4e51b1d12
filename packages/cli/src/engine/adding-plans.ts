import type {OnEvent, PlanEvent} from './events.js'

/**
 * Adds up the plans of pieces of work that are done one after the other, so that a display sees the work grow.
 * @returns `onEvent` for the piece that is done now, and `next`, to be called when it has ended
 */
export function addingPlans(onEvent: OnEvent): {readonly onEvent: OnEvent; readonly next: () => void} {
  let before: PlanEvent | undefined
  let whole: PlanEvent | undefined
  return {
    onEvent(event) {
      if (event.type === 'plan') whole = before === undefined ? event : sumOf(before, event)
      onEvent(event.type === 'plan' && whole !== undefined ? whole : event)
    },
    next() {
      before = whole
    },
  }
}

function sumOf(one: PlanEvent, other: PlanEvent): PlanEvent {
  const both = (key: 'toMount' | 'present') => ({
    blobs: (one[key]?.blobs ?? 0) + (other[key]?.blobs ?? 0),
    bytes: (one[key]?.bytes ?? 0) + (other[key]?.bytes ?? 0),
  })
  return {
    type: 'plan',
    images: one.images + other.images,
    blobs: one.blobs + other.blobs,
    bytes: one.bytes + other.bytes,
    toMount: both('toMount'),
    present: both('present'),
    ended: (one.ended ?? 0) + (other.ended ?? 0),
  }
}
