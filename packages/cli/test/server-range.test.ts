import {expect, test} from 'vitest'
import {parseRange} from '#src/server/range.js'

const SIZE = 100

test.for([
  ['bytes=0-9', {start: 0, end: 10}],
  ['bytes=90-', {start: 90, end: 100}],
  ['bytes=-10', {start: 90, end: 100}],
  ['bytes=-1000', {start: 0, end: 100}],
  ['bytes=50-1000', {start: 50, end: 100}],
  ['bytes=99-99', {start: 99, end: 100}],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=9-0', undefined],
  ['bytes=0-1,5-6', undefined],
  ['bytes=-', undefined],
  ['items=0-9', undefined],
  ['', undefined],
] as const)('of 100 bytes, %s is %j', ([text, range]) => {
  expect(parseRange(text, SIZE)).toEqual(range)
})

test('without the header, or with an empty blob, there is no range to answer', () => {
  expect(parseRange(undefined, SIZE)).toBeUndefined()
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
})
