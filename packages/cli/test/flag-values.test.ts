import {expect, test} from 'vitest'
import {flagReader} from '#src/settings/flag-values.js'

const {choice, whole} = flagReader({'source-mode': 'fast', 'source-count': '7'}, {prefix: 'source-'})

test('a flag of several values gives one of them, or none if it was not given', () => {
  expect(choice('mode', ['fast', 'slow'])).toBe('fast')
  expect(choice('other', ['fast', 'slow'])).toBeUndefined()
})

test('a flag with another value is refused by its whole name', () => {
  expect(() => choice('mode', ['slow', 'slower'])).toThrow('--source-mode "fast" is not one of slow, slower')
  expect(() => whole('count', {from: 8, to: 9})).toThrow(
    '--source-count "7" is not a whole number from 8 to 9',
  )
  expect(whole('count', {from: 7, to: 7})).toBe(7)
})
