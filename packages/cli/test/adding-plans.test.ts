import {expect, test} from 'vitest'
import {addingPlans} from '#src/engine/adding-plans.js'
import type {MirrorEvent} from '#src/engine/events.js'
import {progressOf, fold, nothingYet} from '#src/render/fold.js'
import {ended} from './render-fixtures.js'

test('the plans of jobs that follow each other are one that grows', () => {
  const events: MirrorEvent[] = []
  const plans = addingPlans((event) => events.push(event))
  plans.onEvent({type: 'plan', images: 2, blobs: 3, bytes: 10, present: {blobs: 1, bytes: 4}})
  plans.onEvent(ended('a:1'))
  plans.next()
  plans.onEvent({type: 'plan', images: 5, blobs: 1, bytes: 7, toMount: {blobs: 1, bytes: 2}, ended: 3})
  expect(events).toEqual([
    {type: 'plan', images: 2, blobs: 3, bytes: 10, present: {blobs: 1, bytes: 4}},
    ended('a:1'),
    {
      type: 'plan',
      images: 7,
      blobs: 4,
      bytes: 17,
      toMount: {blobs: 1, bytes: 2},
      present: {blobs: 1, bytes: 4},
      ended: 3,
    },
  ])
})

test('images that ended before the plan count as done, once', () => {
  const plan = {type: 'plan', images: 5, blobs: 0, bytes: 0, ended: 3} as const
  let state = fold(nothingYet, plan, {now: 0})
  expect(state.images).toEqual({done: 3, failed: 0})
  state = fold(state, {...plan, images: 9, ended: 4}, {now: 1})
  expect(state.images).toEqual({done: 4, failed: 0})
  for (let index = 0; index < 5; index++) state = fold(state, ended(`a:${index}`), {now: 2})
  expect(progressOf(state, {now: 3}).fraction).toBe(1)
})
