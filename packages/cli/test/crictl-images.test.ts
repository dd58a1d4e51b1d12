import {formatReference} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {parseCrictlImages} from '#src/names/crictl-images.js'

const digest = `sha256:${'a'.repeat(64)}` as const
const other = `sha256:${'b'.repeat(64)}` as const

function inspected(name: string, own: string) {
  const [repository] = name.split(/:(?!.*\/)/)
  return {
    status: {
      id: `sha256:${'0'.repeat(64)}`,
      repoTags: [name],
      repoDigests: [`${repository}@${own}`],
      size: '1',
    },
    info: {chainID: 'sha256:1'},
  }
}

function read(text: string): readonly string[] {
  return parseCrictlImages(text, 'node.json').images.map(({reference}) => formatReference(reference))
}

test('one image, several documents in a row, a list of them and crictl images are read', () => {
  const first = inspected('gcr.io/team/app:v1', digest)
  const second = inspected('localhost:5000/tool:v2', other)
  const both = [`gcr.io/team/app:v1@${digest}`, `localhost:5000/tool:v2@${other}`]
  const pretty = (value: unknown): string => JSON.stringify(value, undefined, 2)
  expect(read(pretty(first))).toEqual(both.slice(0, 1))
  expect(read(`${pretty(first)}\n${pretty(second)}\n`)).toEqual(both)
  expect(read(`${JSON.stringify(first)}\n${JSON.stringify(second)}`)).toEqual(both)
  expect(read(pretty([first, second]))).toEqual(both)
  expect(read(pretty({images: [first.status, second.status]}))).toEqual(both)
})

test('a tag has the digest of its own repository, and an image without tags is named by its digest', () => {
  const two = {
    repoTags: ['gcr.io/a/app:v1', 'quay.io/b/app:v1', 'ghcr.io/c/app:v1'],
    repoDigests: [`quay.io/b/app@${other}`, `gcr.io/a/app@${digest}`],
  }
  const bare = {repoTags: [], repoDigests: [`gcr.io/a/bare@${digest}`]}
  const unknown = {repoTags: ['<none>:<none>'], repoDigests: ['<none>@<none>']}
  expect(read(JSON.stringify({images: [two, bare, unknown]}))).toEqual([
    `gcr.io/a/app:v1@${digest}`,
    `quay.io/b/app:v1@${other}`,
    `gcr.io/a/bare@${digest}`,
  ])
})

test('every digest of the own repository counts, and an image without any is told', () => {
  const image = {
    repoTags: ['quay.io/a/app:v1'],
    repoDigests: [`quay.io/a/app@${digest}`, `quay.io/a/app@${other}`, `gcr.io/a/app@${other}`],
  }
  const local = {id: 'sha256:1', repoTags: ['quay.io/a/local:v1'], repoDigests: []}
  const nameless = {id: 'sha256:2', repoTags: [], repoDigests: ['<none>@<none>']}
  const found = parseCrictlImages(JSON.stringify({images: [image, local, nameless, {}]}), 'node.json')
  expect(found.images.map(({digests}) => digests)).toEqual([[digest, other]])
  expect(found.unproven).toEqual(['quay.io/a/local:v1', 'sha256:2', 'an image without an ID'])
})

test.each(['', 'no json', '{}', '[]', 'null', '{"status":{"repoTags":["a:b"]}}', '{"images":[1,null]}'])(
  '%j is refused as a list without digests',
  (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({code: 'LIST_INVALID'}))
  },
)
