import * as fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {chooseTags, type TagFilter} from '#src/job/choose-tags.js'
import {newestFirst, versionOf} from '#src/job/tag-version.js'

const cosign = `sha256-${'0'.repeat(64)}.sig`
const nginx = [
  'latest',
  '1',
  '1.26',
  '1.26.1',
  '1.26.2',
  '1.27',
  '1.27.0',
  '1.27.1',
  '1.27.1-alpine',
  '1.27.0-alpine',
  '1.26.2-alpine',
  '1.28.0-rc.1',
  'stable',
  cosign,
]

describe('choosing tags', () => {
  const cases: readonly (readonly [what: string, filter: TagFilter, chosen: readonly string[]])[] = [
    ['all but what cosign keeps for itself', {}, nginx.filter((tag) => tag !== cosign)],
    ['names alone', {exact: ['latest', 'absent']}, ['latest']],
    ["cosign's by name", {exact: [cosign]}, [cosign]],
    ['globs match all of a tag', {glob: ['1.27.?', 'sta*']}, ['1.27.0', '1.27.1', 'stable']],
    ['a dot of a glob is a dot', {glob: ['1.2.']}, []],
    ['expressions are found anywhere', {regex: ['7\\.1']}, ['1.27.1', '1.27.1-alpine']],
    ['expressions can be anchored', {regex: ['^1\\.27\\.\\d$']}, ['1.27.0', '1.27.1']],
    ['glob and expression narrow each other', {glob: ['*alpine'], regex: ['^1\\.26']}, ['1.26.2-alpine']],
    ['a range leaves pre-releases out', {semver: '>=1.26.2 <1.28'}, ['1.26.2', '1.27', '1.27.0', '1.27.1']],
    ['a range names a pre-release', {semver: '>=1.28.0-rc.0'}, ['1.28.0-rc.1']],
    ['a range counts pre-releases on request', {semver: '>1.27.1', prereleases: true}, ['1.28.0-rc.1']],
    ['a range within a glob', {semver: '^1.27', glob: ['*-alpine']}, ['1.27.1-alpine', '1.27.0-alpine']],
    ['alternatives of a range', {semver: '1.26.1 || 1.27.1'}, ['1.26.1', '1.27.1']],
    ['the newest, in the order given', {newest: 3}, ['1.26.2', '1.27.0', '1.27.1']],
    ['the newest of a variant', {glob: ['*-alpine'], newest: 2}, ['1.27.1-alpine', '1.27.0-alpine']],
    ['the newest with pre-releases', {newest: 1, prereleases: true}, ['1.28.0-rc.1']],
    ['names are taken besides the newest', {exact: ['stable'], newest: 1}, ['1.27.1', 'stable']],
    ['exclusion works before newest', {newest: 1, exclude: {glob: ['1.27*']}}, ['1.26.2']],
    ['exclusion by expression', {glob: ['1.26*'], exclude: {regex: ['-', '^1\\.26$']}}, ['1.26.1', '1.26.2']],
    ['exclusion does not touch names', {exact: ['latest'], exclude: {glob: ['*']}}, ['latest']],
    ['exclusion alone', {exclude: {glob: ['1*', 's*']}}, ['latest']],
  ]
  it.each(cases)('%s', (_what, filter, chosen) => expect(chooseTags(nginx, filter)).toEqual(chosen))

  it.each<readonly [string, string | undefined]>([
    ['1.2.3', '1.2.3'],
    ['v1.2.3', '1.2.3'],
    ['V1', '1.0.0'],
    ['1.2', '1.2.0'],
    ['24.04', '24.4.0'],
    ['20240115', '20240115.0.0'],
    ['v1.30.2-rc1-k3s1', '1.30.2-rc1-k3s1'],
    ['1.0.0-beta.01', '1.0.0-beta.1'],
    ['103.1.0_up0.9.0', '103.1.0+up0.9.0'],
    ['1.0.0-rc.1_up4', '1.0.0-rc.1+up4'],
    ['latest', undefined],
    ['1.2.3.4', undefined],
    ['1.2.', undefined],
    ['1.2.3-', undefined],
    ['1.2.3-a..b', undefined],
    ['9'.repeat(40), undefined],
    ['', undefined],
  ])('reads %s as the version %s', (tag, text) => {
    const version = versionOf(tag)?.version
    const build = version?.build.length === 0 ? '' : `+${version?.build.join('.')}`
    expect(version === undefined ? undefined : `${version.version}${build}`).toBe(text)
  })

  it.each([
    [['1.0.0-rc9', '1.0.0-rc10'], '1.0.0-rc10'],
    [['1.0.0-rc.9', '1.0.0-rc.10'], '1.0.0-rc.10'],
    [['v1.30.2-r3', 'v1.30.2-r12'], 'v1.30.2-r12'],
    [['1.2.3_build12', '1.2.3_build5'], '1.2.3_build12'],
    [['1.0.0-alpine3.9', '1.0.0-alpine3.20'], '1.0.0-alpine3.20'],
    [['1.0.0-rc10', '1.0.0'], '1.0.0'],
  ])('takes of %j the newest, by its runs of digits as numbers: %s', (tags, newest) => {
    const filter = {newest: 1, prereleases: true}
    expect(chooseTags(tags, filter)).toEqual([newest])
    expect(chooseTags(tags.toReversed(), filter)).toEqual([newest])
  })

  it('orders Helm charts by their versions and then by what they carry', () => {
    const tags = ['103.1.0_up0.9.0', '103.1.0_up0.10.0', '102.9.0_up9.0.0', '103.0.1_up0.11.0']
    expect(chooseTags(tags, {newest: 1})).toEqual(['103.1.0_up0.10.0'])
    expect(chooseTags(tags, {semver: '~103.0'})).toEqual(['103.0.1_up0.11.0'])
  })

  it('takes linear time where other engines would not', () => {
    const tag = `${'a'.repeat(120)}!`.slice(0, 121)
    expect(chooseTags([tag], {regex: ['^(a+)+$'], glob: ['*a*a*a*a*a*a*a*a*b']})).toEqual([])
  })

  it('refuses what is not an expression or no range', () => {
    expect(() => chooseTags(['1'], {regex: ['(?=a)']})).toThrow(/RE2/)
    expect(() => chooseTags(['1'], {semver: 'newest please'})).toThrow(/not a range of versions/)
  })
})

const seed = Date.now() % 2 ** 31
const tagOf = fc.oneof(
  fc
    .tuple(fc.constantFrom('', 'v'), fc.nat(30), fc.nat(30), fc.nat(30))
    .map(([v, a, b, c]) => `${v}${a}.${b}.${c}`),
  fc
    .tuple(fc.nat(30), fc.nat(30), fc.constantFrom('-rc.1', '-alpine', '_up2', ''))
    .map(([a, b, end]) => `${a}.${b}.0${end}`),
  fc.stringMatching(/^\w[\w.-]{0,20}$/),
)
const filterOf: fc.Arbitrary<TagFilter> = fc.record(
  {
    exact: fc.array(tagOf, {maxLength: 3}),
    glob: fc.array(fc.constantFrom('*', '1*', '*-alpine', '?.?.?'), {minLength: 1, maxLength: 2}),
    regex: fc.array(fc.constantFrom('^1', 'a', '\\d$'), {minLength: 1, maxLength: 2}),
    semver: fc.constantFrom('*', '>=5', '<10 || >20', '1.x - 7.x'),
    prereleases: fc.boolean(),
    newest: fc.integer({min: 1, max: 5}),
    exclude: fc.constantFrom({glob: ['2*']}, {regex: ['rc']}),
  },
  {requiredKeys: []},
)
const tagsOf = fc.uniqueArray(tagOf, {maxLength: 30})

describe(`choosing tags, whatever they are (seed ${seed})`, () => {
  const holds = <Values extends unknown[]>(property: fc.IProperty<Values>): void =>
    fc.assert(property, {seed, numRuns: 300})

  it('chooses from what is there, in its order', () =>
    holds(
      fc.property(tagsOf, filterOf, (tags, filter) => {
        const chosen = new Set(chooseTags(tags, filter))
        expect([...chosen]).toEqual(tags.filter((tag) => chosen.has(tag)))
      }),
    ))

  it('chooses the same of any order', () =>
    holds(
      fc.property(tagsOf, filterOf, (tags, filter) => {
        expect([...chooseTags(tags.toReversed(), filter)].sort()).toEqual(
          [...chooseTags(tags, filter)].sort(),
        )
      }),
    ))

  it('chooses again all of what it chose, and every name that is there', () =>
    holds(
      fc.property(tagsOf, filterOf, (tags, filter) => {
        const chosen = chooseTags(tags, filter)
        expect(chooseTags(chosen, filter)).toEqual(chosen)
        for (const name of filter.exact ?? []) expect(chosen.includes(name)).toBe(tags.includes(name))
      }),
    ))

  it('keeps so many of the highest: none that is left out is newer than one that is in', () =>
    holds(
      fc.property(tagsOf, fc.integer({min: 1, max: 5}), (tags, newest) => {
        const all = chooseTags(tags, {newest: 1000, prereleases: true})
        const kept = chooseTags(tags, {newest, prereleases: true})
        expect(kept.length).toBe(Math.min(newest, all.length))
        const versions = (names: readonly string[]) => names.map(versionOf).filter((one) => one !== undefined)
        for (const dropped of versions(all.filter((tag) => !kept.includes(tag))))
          for (const held of versions(kept)) expect(newestFirst(held, dropped)).toBeLessThan(0)
      }),
    ))
})
