import {parseReference, type Digest} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {globMatcher} from '#src/names/globs.js'
import {parseImageList, parseMapFile} from '#src/names/image-list.js'
import {referenceKey, type NamingRules} from '#src/names/naming.js'
import {parseRewriteRule} from '#src/names/rewrite.js'
import {elsewhere, unusedIn} from '#src/names/unused.js'

const rules: NamingRules = {
  registry: 'reg:5000',
  namespace: '',
  mapHost: 'drop',
  rewrites: [],
  map: new Map(),
  maxDepth: undefined,
}
const images = [
  {name: parseReference('gcr.io/team/app:v1')},
  {name: parseReference('busybox')},
  {shownAs: 'inner.tar', digest: `sha256:${'1'.repeat(64)}` as Digest},
]

const ID: Digest = `sha256:${'2'.repeat(64)}`

describe('choices and rules that no image has met', () => {
  it('are the globs that match none', () => {
    const {include} = unusedIn(images, {rules, include: ['gcr.io/**', 'quay.io/**', '**/app:v2']})
    expect(include).toEqual(['quay.io/**', '**/app:v2'])
  })

  it('are the rewrites that change no path, each after those before it', () => {
    const rewrites = ['^team/=group/', '^group/=crew/', '^nobody/=x/'].map(parseRewriteRule)
    expect(unusedIn(images, {rules: {...rules, rewrites}, include: []}).rewrites).toEqual(['^nobody/=x/'])
  })

  it('are the sources of a map that are not there, however they are written', () => {
    const text = 'busybox b:1\ninner.tar c:1\nalpine d:1\ngcr.io/team/other:v1 e:1\n'
    const map = parseMapFile(text, 'map', referenceKey)
    expect(unusedIn(images, {rules: {...rules, map}, include: []}).map).toEqual([
      'docker.io/library/alpine:latest',
      'gcr.io/team/other:v1',
    ])
  })

  it.each([ID, '2'.repeat(64), '2'.repeat(12)])(
    'are not the image ID %s of an image that is there',
    (source) => {
      const map = parseMapFile(`${source} b:1\n`, 'map', referenceKey)
      expect(unusedIn([{shownAs: 'x', id: ID}], {rules: {...rules, map}, include: []}).map).toEqual([])
    },
  )

  it('are digests of a map as they are written', () => {
    const map = parseMapFile(`${ID} b:1\n`, 'map', referenceKey)
    expect(unusedIn(images, {rules: {...rules, map}, include: []}).map).toEqual([ID])
  })
})

it.each(['[ab]', '{a,b}', 'a b', String.raw`a\*`])(
  'the glob %j is refused, since it would match nothing',
  (glob) => {
    expect(() => globMatcher({include: [glob], exclude: []})).toThrow(
      expect.objectContaining({code: 'USAGE'}),
    )
  },
)

it('finds the same path at another host', () => {
  const known = [parseReference('127.0.0.1:5000/rancher/x:1')]
  expect(elsewhere(parseReference('docker.io/rancher/x:1'), known)).toEqual(known[0])
  expect(elsewhere(parseReference('docker.io/rancher/x:2'), known)).toBeUndefined()
})

it.each([
  ['quay.io/a/b@sha256:1=registry:5000/a/b', 'this is a line of mapping.txt of oc-mirror'],
  ['docker://quay.io/a/b:1=docker://registry:5000/a/b:1', 'this is a line of mapping.txt of oc-mirror'],
  [
    'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n',
    'this is an ImageSetConfiguration',
  ],
])('a list names the file of another program that it is: %j', (text, message) => {
  expect(() => parseImageList(text, 'list')).toThrow(
    expect.objectContaining({code: 'LIST_INVALID', message: expect.stringContaining(message)}),
  )
})
