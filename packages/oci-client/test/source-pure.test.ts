import {describe, expect, it} from 'vitest'
import {parseContentRange} from '#src/client/content-range.js'
import {nextPage} from '#src/client/link-header.js'
import {rateLimitOf} from '#src/source/rate-limit-notice.js'

describe('Content-Range', () => {
  it.each([
    ['bytes 0-99/100', {start: 0, end: 100, total: 100}],
    ['bytes 10-99/*', {start: 10, end: 100}],
    [' Bytes 5-5/6 ', {start: 5, end: 6, total: 6}],
  ])('%s is read', (text, range) => {
    expect(parseContentRange(text)).toEqual(range)
  })

  it.each([
    undefined,
    '',
    'bytes */100',
    'bytes 9-5/100',
    'bytes 0-100/100',
    'bytes -5-9/10',
    'items 0-1/2',
    'bytes 0-99999999999999999/*',
    'bytes 0-9/10, bytes 10-19/20',
  ])('%s makes no sense', (text) => {
    expect(parseContentRange(text)).toBeUndefined()
  })
})

describe('Link', () => {
  const next = (...values: string[]): string | undefined => {
    const url = {origin: 'https://r.example', path: '/v2/a/tags/list?n=2'}
    return nextPage({headers: () => values, url})?.path
  }

  it.each([
    ['</v2/a/tags/list?last=b&n=2>; rel="next"', '/v2/a/tags/list?last=b&n=2'],
    ['</v2/a/tags/list?last=b>; title="x"; rel=next', '/v2/a/tags/list?last=b'],
    ['</p>; rel="prev", </v2/n?a=1,2>; rel="next"', '/v2/n?a=1,2'],
    ['</n>; REL="last next"', '/n'],
    ['<?last=b>; rel="next"', '/v2/a/tags/list?last=b'],
    ['<http://10.0.0.7:5000/v2/a/tags/list?last=b%2Bc>; rel="next"', '/v2/a/tags/list?last=b%2Bc'],
  ])('%s leads on, at the registry that was asked', (value, path) => {
    expect(next(value)).toBe(path)
  })

  it.each([
    ['without a relation', '</v2/a/tags/list?last=b>', '/v2/a/tags/list?last=b'],
    ['with another parameter', '</x>; relation="next"', '/x'],
    ['in single quotes', "</v2/a/tags/list?last=b>; rel='next'", '/v2/a/tags/list?last=b'],
    ['without angle brackets', '/v2/a/tags/list?last=b; rel="next"', '/v2/a/tags/list?last=b'],
    ['with neither', 'https://r.example/v2/a/tags/list?last=b', '/v2/a/tags/list?last=b'],
    ['with a space', ' < /v2/a/tags/list?last=b > ; rel = "next" ', '/v2/a/tags/list?last=b'],
    ['with an empty relation', '</n>; rel=""', '/n'],
  ])('%s leads on all the same', (_how, value, path) => {
    expect(next(value)).toBe(path)
  })

  it.each(['rel="next"', '<>; rel="next"', '< >', 'next', '</a b>; rel=next', '</n; rel="next"'])(
    '%j that is not understood makes the list incomplete',
    (value) => {
      expect(() => next(value)).toThrow(expect.objectContaining({code: 'PROTOCOL'}) as Error)
    },
  )

  it.each(['', ' , ', '</x>; rel="prev"', '<</x>; rel="nextish"'])('%j leads nowhere', (value) => {
    expect(next(value)).toBeUndefined()
  })

  it('of 150,000 characters that never close is read to its end', () => {
    expect(next(`<a>; rel="last"${';rel='.repeat(10_000)}`)).toBeUndefined()
    for (const value of ['<'.repeat(150_000), '<>;'.repeat(50_000)])
      expect(() => next(value)).toThrow(expect.objectContaining({code: 'PROTOCOL'}) as Error)
  })
})

describe('rate limits', () => {
  it.each([
    [
      {'ratelimit-remaining': '76;w=21600', 'ratelimit-limit': '100;w=21600'},
      {remaining: 76, limit: 100, window: 21600},
    ],
    [{'x-ratelimit-remaining': '3'}, {remaining: 3}],
    [
      {'ratelimit-remaining': '0;w=60', 'ratelimit-limit': '100, 100;w=60'},
      {remaining: 0, limit: 100, window: 60},
    ],
    [{'ratelimit-remaining': 'many'}, undefined],
    [{}, undefined],
  ])('%j', (headers: Record<string, string>, limit) => {
    expect(rateLimitOf({header: (name) => headers[name]})).toEqual(limit)
  })
})

it.each(['<////evil.example/v2/a/tags/list?n=1>', '<https:////evil.example/v2/>', '<//x//evil.example/v2/>'])(
  'the next page %s is at the registry that was asked',
  (link) => {
    const url = {origin: 'https://registry.example', path: '/v2/a/tags/list'}
    expect(nextPage({headers: () => [`${link}; rel="next"`], url})?.origin).toBe(url.origin)
  },
)
