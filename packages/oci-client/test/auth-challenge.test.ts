import {describe, expect, it} from 'vitest'
import * as fc from 'fast-check'
import {parseChallenges} from '#src/auth/challenge.js'
import {coversScopes, normaliseScopes, repositoryOf, writingScopes} from '#src/auth/scope.js'
import {parseRealm} from '#src/auth/token-realm.js'
import {limits} from '#src/model/index.js'

function read(...values: string[]) {
  return parseChallenges(values).map(({scheme, parameters}) => [scheme, Object.fromEntries(parameters)])
}

describe('challenges', () => {
  it.each([
    ['a Basic one', ['Basic realm="x"'], [['basic', {realm: 'x'}]]],
    [
      'commas inside quotes',
      ['Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push repository:c:pull"'],
      [['bearer', {realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push repository:c:pull'}]],
    ],
    [
      'two in one value',
      ['Basic realm="a, b", Bearer realm="c",error="insufficient_scope"'],
      [
        ['basic', {realm: 'a, b'}],
        ['bearer', {realm: 'c', error: 'insufficient_scope'}],
      ],
    ],
    [
      'two values',
      ['Basic realm=a', 'Bearer realm=b'],
      [
        ['basic', {realm: 'a'}],
        ['bearer', {realm: 'b'}],
      ],
    ],
    [
      'names in any case and room around the sign',
      ['BEARER Realm = "a" , SERVICE="b"'],
      [['bearer', {realm: 'a', service: 'b'}]],
    ],
    ['escapes', [String.raw`Basic realm="a\"b\\c"`], [['basic', {realm: String.raw`a"b\c`}]]],
    [
      'a scheme alone',
      ['Negotiate, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', {realm: 'x'}],
      ],
    ],
    [
      'a token68',
      ['Negotiate abc==, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', {realm: 'x'}],
      ],
    ],
    ['the first of two equal names', ['Basic realm="a",realm="b"'], [['basic', {realm: 'a'}]]],
    ['a quote that never ends', ['Basic realm="a, b'], [['basic', {realm: 'a, b'}]]],
    [
      'a name that objects are born with',
      ['Basic __proto__="a"'],
      [['basic', Object.fromEntries([['__proto__', 'a']])]],
    ],
    ['nothing', ['', ' , ,'], []],
    ['no scheme at all', ['="x", "y" @@'], []],
  ])('reads %s', (_what, values, expected) => {
    expect(read(...values)).toEqual(expected)
  })

  it('reads any text, in bounded time, into a bounded answer', () => {
    const text = fc.string({unit: fc.constantFrom('a', '=', '"', ',', ' ', '\\', 'Bearer ', 'realm="', '\t')})
    fc.assert(
      fc.property(fc.array(text, {maxLength: 5}), (values) => {
        const challenges = parseChallenges(values)
        expect(challenges.length).toBeLessThanOrEqual(limits.challenges)
        for (const {parameters} of challenges) expect(parameters.size).toBeLessThanOrEqual(limits.challenges)
      }),
      {numRuns: 500},
    )
  })

  it.each(['a=', 'a ', '"', '\\"', 'a="', ' ', 'a,', 'a=",'])(
    'reads a megabyte of %j into few challenges',
    (unit) => {
      expect(parseChallenges([unit.repeat(1_000_000 / unit.length)]).length).toBeLessThanOrEqual(
        limits.challenges,
      )
    },
  )
})

describe('scopes', () => {
  it('are the same list for the same rights', () => {
    expect(normaliseScopes(['repository:b:pull', 'repository:a:push', 'repository:a:pull,push', ''])).toEqual(
      ['repository:a:pull,push', 'repository:b:pull'],
    )
    expect(normaliseScopes(['registry:catalog:*', 'odd'])).toEqual(['odd', 'registry:catalog:*'])
    expect(normaliseScopes(['repository:h:5000/a:push,pull'])).toEqual(['repository:h:5000/a:pull,push'])
  })

  it('cover one another by action', () => {
    expect(coversScopes(['repository:a:pull,push'], ['repository:a:pull'])).toBe(true)
    expect(coversScopes(['repository:a:pull'], ['repository:a:pull,push'])).toBe(false)
    expect(coversScopes(['repository:a:pull'], [])).toBe(true)
  })

  it('name the repository that is written to', () => {
    const mount = ['repository:from:pull', 'repository:to:pull,push']
    expect(repositoryOf(mount)).toBe('to')
    expect(writingScopes(mount)).toEqual(['repository:to:pull,push'])
    expect(repositoryOf(['repository:a/b:pull'])).toBe('a/b')
    expect(repositoryOf(['registry:catalog:*'])).toBeUndefined()
  })
})

describe('the realm of a challenge', () => {
  const realm = (text: string | undefined, origin: string) =>
    parseRealm(new Map(text === undefined ? [] : [['realm', text]]), {
      origin,
      registry: 'reg',
      side: 'target',
    })

  it.each([
    ['https://auth.other/token?x=%2B', 'https://reg', 'https://auth.other', '/token?x=%2B'],
    ['https://auth.other', 'http://reg', 'https://auth.other', '/'],
    ['http://auth.other:81/t', 'http://reg:5000', 'http://auth.other:81', '/t'],
  ])('%s is fit for %s', (text, registry, origin, path) => {
    expect(realm(text, registry).url).toEqual({origin, path})
  })

  it.each([
    ['http://auth.other/token', 'https://reg', /without TLS \(auth.other\)/],
    ['http://reg/token', 'https://reg', /without TLS/],
    ['ftp://reg/token', 'https://reg', /cannot be read/],
    ['/token', 'https://reg', /cannot be read/],
    ['', 'https://reg', /cannot be read/],
    [undefined, 'https://reg', /cannot be read/],
    ['https://user:secret@auth/token', 'https://reg', /carries a user name$/],
  ])('%s is refused for %s', (text, registry, message) => {
    expect(() => realm(text, registry)).toThrow(
      expect.objectContaining({code: 'PROTOCOL', message: expect.stringMatching(message)}),
    )
  })
})
