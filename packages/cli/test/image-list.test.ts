import {formatReference} from '@airgap-mirror/oci-client/model'
import {expect, it, test} from 'vitest'
import {parseImageList, parseMapFile} from '#src/names/image-list.js'
import {referenceKey} from '#src/names/naming.js'

const digest = `sha256:${'0'.repeat(64)}`

it('reads a list as K3s, RKE2 and Rancher publish it', () => {
  const text = [
    '\uFEFF# a comment',
    'docker.io/rancher/pause:3.1\r',
    '',
    '  rancher/klipper-lb:v0.1.2  # trailing comment\r',
    `gcr.io/a/b:v@${digest}`,
    'gcr.io/a/c:v my/c:w',
  ].join('\n')
  const images = parseImageList(text, 'list')
  expect(images.map(({source, target, line}) => [formatReference(source), target, line])).toEqual([
    ['docker.io/rancher/pause:3.1', undefined, 2],
    ['docker.io/rancher/klipper-lb:v0.1.2', undefined, 4],
    [`gcr.io/a/b:v@${digest}`, undefined, 5],
    ['gcr.io/a/c:v', 'my/c:w', 6],
  ])
})

it('names every bad line at once', () => {
  const bad = (): unknown => parseImageList('ok:v\na/UPPER\na b c\nx@sha256:1\n', 'images.txt')
  expect(bad).toThrow(/images\.txt: 3 bad lines; line 2: .*; line 3: .*; line 4: /)
})

it('reads a map by reference, by digest and by what the bundle calls an image', () => {
  const map = parseMapFile(
    `busybox my/busybox\n${digest} app:v1\nlatest-of-it app:v2 # why\n`,
    'map',
    referenceKey,
  )
  expect(map.get('docker.io/library/busybox:latest')).toBe('my/busybox')
  expect(map.get(digest)).toBe('app:v1')
  expect(map.get('latest-of-it')).toBe('app:v2')
})

it('refuses a map line without a target', () => {
  expect(() => parseMapFile('one\n', 'map', referenceKey)).toThrow(/map: 1 bad line; line 1/)
})

test.each(['\u2028', '\u00a0', '\u3000', '\u2003', '\u000b'])(
  'The space %j separates no columns, so that it chooses no target',
  (space) => {
    expect(() => parseImageList(`gcr.io/a/b:v1${space}other/place:v1`, 'list')).toThrow(
      expect.objectContaining({code: 'LIST_INVALID'}) as Error,
    )
  },
)

test('a key that is given as a list is not repeated in the message', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nSecretSecret\n-----END PRIVATE KEY-----\n'
  expect(() => parseImageList(pem, 'key.pem')).toThrow(
    'key.pem: 1 bad line; this is a key or a certificate in PEM',
  )
})

test('A line with a login in it is refused without its password', () => {
  for (const line of [
    'user:hunter2@gcr.io/a/b:v1',
    'https://user:hunter2@gcr.io/a',
    'gcr.io/a:v1 user:hunter2@host/x',
  ])
    expect(() => parseImageList(line, 'list')).toThrow(/^(?!.*hunter2).*no sha256 or sha512 digest/)
})

it('reads lines with docker:// or oci://, a dash of YAML or quotes, and tells other schemes to leave', () => {
  const text = [
    'docker://a.example/b:v',
    'oci://a.example/c:v',
    '- a.example/d:v',
    '- "a.example/e:v"',
    "'a.example/f:v' x/f:v",
  ]
  expect(
    parseImageList(text.join('\n'), 'list').map(({source, target}) => [formatReference(source), target]),
  ).toEqual([
    ['a.example/b:v', undefined],
    ['a.example/c:v', undefined],
    ['a.example/d:v', undefined],
    ['a.example/e:v', undefined],
    ['a.example/f:v', 'x/f:v'],
  ])
  expect(() => parseImageList('https://a.example/b:v', 'list')).toThrow(/leave out https:\/\//)
})
