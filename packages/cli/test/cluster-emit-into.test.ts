import * as fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {timesTried} from '@airgap-mirror/test/kit'
import {parseAllDocuments} from 'yaml'
import {insertMirror} from '#src/cluster/emit/bmctl-into.js'

const mirror = {endpoint: 'https://registry.example:5000/v2/mirror', hosts: ['docker.io']}
const name = 'cluster.yaml'

/** Parts of a header; each ends its line. */
const parts = [
  '# a comment\n',
  '\n',
  'gcrKeyPath: /keys/gcr.json # behind a value\n',
  'list:\n- one\n# between\n- two\n',
  'map:\n  deep:   {kept: "as it is"}\n  # at the end of the map\n',
  'text: |\n  several\n  # lines, no comment\n',
  "quoted: 'it''s' \n",
  'empty:\n',
]
const old = 'registryMirrors:\n  - endpoint: https://old.example\n    hosts:\n      - quay.io\n'
const rest = '---\napiVersion: v1 # kept\nkind: Namespace\n---\nkind: Cluster\nspec: {}\n'

const header = fc
  .tuple(fc.shuffledSubarray(parts, {minLength: 1}), fc.boolean(), fc.nat({max: 8}))
  .map(([chosen, hasOld, place]) => (hasOld ? chosen.toSpliced(place, 0, old) : chosen))
  .filter((chosen) => chosen.some((part) => /^\w/.test(part)))

function valuesOf(text: string): readonly unknown[] {
  return parseAllDocuments(text).map((document) => document.toJS() as unknown)
}

describe('a mirror in the header of a bmctl cluster file', () => {
  test('takes the place of an older one or is added, and every other line stays', () => {
    fc.assert(
      fc.property(header, fc.boolean(), (chosen, hasDirective) => {
        const before = (hasDirective ? '---\n' : '') + chosen.join('') + rest
        const {text, replaced} = insertMirror(before, {name, mirror})
        const [first, ...others] = valuesOf(text)
        const [firstBefore, ...othersBefore] = valuesOf(before)
        const expected = {...(firstBefore as object), registryMirrors: [mirror]}
        expect({first, others}).toEqual({first: expected, others: othersBefore})
        expect(replaced).toEqual(chosen.includes(old) ? ['https://old.example'] : [])
        const kept = before.replace(old, '').split('\n')
        const left = text.replace(/^registryMirrors:\n(?: .*\n)*/m, '').split('\n')
        expect(left).toEqual(kept)
        expect(insertMirror(text, {name, mirror}).text).toBe(text)
      }),
      {numRuns: timesTried(100)},
    )
  })

  test.each([
    ['is added before a cluster without a header', `---\nkind: Cluster\n`],
    ['is added to a header of comments alone', `# only this\n---\nkind: Cluster\n`],
    ['is added to a header without a line end', `gcrKeyPath: /keys/gcr.json`],
    ['is added to a file with Windows line ends', `gcrKeyPath: /keys/gcr.json\r\n---\r\nkind: Cluster\r\n`],
    ['takes the place of an empty list', `registryMirrors: []\nother: 1\n---\nkind: Cluster\n`],
    ['takes the place of nothing', `registryMirrors:\nother: 1\n---\nkind: Cluster\n`],
  ])('%s', (_what, before) => {
    const {text} = insertMirror(before, {name, mirror})
    const [first, ...others] = valuesOf(text)
    const clusters = valuesOf(before).filter(
      (value) => value !== null && typeof value === 'object' && 'kind' in value,
    )
    expect(first).toMatchObject({registryMirrors: [mirror]})
    expect(others).toEqual(clusters)
  })

  test.each([
    ['broken YAML', 'gcrKeyPath: [\n---\nkind: Cluster\n'],
    ['no header', 'apiVersion: v1\nkind: Cluster\n'],
    ['a list', '- one\n'],
    ['nothing at all', ''],
  ])('is refused with %s', (_what, before) => {
    expect(() => insertMirror(before, {name, mirror})).toThrow(/cluster\.yaml is not a bmctl cluster file/)
  })
})
