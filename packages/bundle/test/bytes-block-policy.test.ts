import {describe, expect, it} from 'vitest'
import {
  aheadOfWalk,
  bufferBytes,
  howToPrefetch,
  howToRead,
  keepsAll,
  type BlockFacts,
} from '#src/bytes/block-policy.js'

const MiB = 1024 * 1024
const nothingSeen: BlockFacts = {size: 1000, budget: 100, plain: 0, kept: 0}
/** Stored for the most part: the cache would hold 100 bytes of 1000. */
const fits: BlockFacts = {...nothingSeen, plain: 200, kept: 20}
const tooMuch: BlockFacts = {...fits, kept: 21}
const small: BlockFacts = {...nothingSeen, size: 100, plain: 10, kept: 10}

const facts = {'nothing seen': nothingSeen, 'all fits': fits, 'too much': tooMuch, 'a small source': small}
type Situation = keyof typeof facts

describe('a source of blocks', () => {
  it.each<[Situation, boolean]>([
    ['nothing seen', false],
    ['all fits', true],
    ['too much', false],
    ['a small source', true],
  ])('with %s keeps all coded bytes: %s', (situation, keeps) => {
    expect(keepsAll(facts[situation])).toBe(keeps)
  })

  it.each<[Situation, reader: 'a small read' | 'a stream', 'whole' | 'pieces']>([
    ['nothing seen', 'a small read', 'pieces'],
    ['nothing seen', 'a stream', 'whole'],
    ['all fits', 'a small read', 'pieces'],
    ['all fits', 'a stream', 'pieces'],
    ['too much', 'a small read', 'pieces'],
    ['too much', 'a stream', 'whole'],
    ['a small source', 'a stream', 'pieces'],
  ])('with %s gives %s a block decoded: %s', (situation, reader, how) => {
    expect(howToRead(facts[situation], {isSmall: reader === 'a small read'})).toBe(how)
  })

  it.each<[Situation, isSmall: boolean, unproven: boolean, 'whole' | 'pieces']>([
    ['all fits', false, true, 'pieces'],
    ['all fits', false, false, 'whole'],
    ['too much', true, true, 'pieces'],
    ['too much', false, true, 'whole'],
    ['too much', true, false, 'whole'],
  ])('with %s (small: %s, unproven: %s) decodes in advance: %s', (situation, isSmall, unproven, how) => {
    expect(howToPrefetch(facts[situation], {isSmall, unproven})).toBe(how)
  })

  it.each<[Situation, steps: number, leaps: number, contentFollows: boolean, 'all' | 'next' | 'none']>([
    ['nothing seen', 0, 0, true, 'next'],
    ['too much', 8, 2, true, 'next'],
    ['too much', 7, 2, true, 'none'],
    ['too much', 0, 1, true, 'none'],
    ['all fits', 8, 2, true, 'all'],
    ['all fits', 0, 1, true, 'all'],
    ['all fits', 8, 2, false, 'next'],
    ['all fits', 0, 1, false, 'none'],
  ])('with %s, after %i steps and %i leaps (content follows: %s), decodes ahead: %s', (...row) => {
    const [situation, steps, leaps, contentFollows, ahead] = row
    expect(aheadOfWalk(facts[situation], {steps, leaps, contentFollows})).toBe(ahead)
  })
})

it.each([
  [8 * MiB, 8 * MiB],
  [5 * MiB, 8 * MiB],
  [64 * MiB + 1, 64 * MiB + 1],
])('a block of %i bytes gets a buffer of %i, which fits other blocks unless it is rare', (block, buffer) => {
  expect(bufferBytes(block)).toBe(buffer)
})
