import {parseReference, type Digest} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import type {KnownTag, KnownTags} from '#src/engine/known-tags.js'
import {rememberPresent} from '#src/engine/sync/tag-memory.js'

const one: Digest = `sha256:${'1'.repeat(64)}`
const two: Digest = `sha256:${'2'.repeat(64)}`
const KEY = 'mirror/app:v1'
const making = {owner: 'job', how: 'all', now: 5000}

/** Saved state in memory. */
function memory(entries: Readonly<Record<string, KnownTag>>): KnownTags {
  const tags = new Map(Object.entries(entries))
  return {
    get: (key) => tags.get(key),
    set: (key, tag) => void tags.set(key, tag),
    delete: (key) => void tags.delete(key),
    keys: () => [...tags.keys()],
    save: async () => 'kept',
  }
}

function known(sourceDigest: Digest): KnownTag {
  return {source: 'quay.io/first/app:v1', sourceDigest, digest: one, how: 'all', owners: ['old'], looked: 1}
}

/** Remembers that the second reference to one name was found unchanged. */
function afterPresent(tags: KnownTags, {referrers = true}: {readonly referrers?: boolean} = {}) {
  const reference = parseReference('quay.io/second/app:v1')
  const surveyed = {
    reference,
    image: {name: reference, root: {manifest: {mediaType: 'x/y', digest: one, size: 1}}},
    standings: [
      {
        target: parseReference('registry.example/mirror/app:v1'),
        key: KEY,
        verdict: {status: 'present', sourceDigest: one, targetDigest: one},
      },
    ],
  } as const
  rememberPresent(tags, [surveyed], {...making, index: 0, referrers})
  return tags.get(KEY)
}

test('the first of two references to one name stays in the saved state, so that it is not written again', () => {
  const tags = memory({[KEY]: known(one)})
  expect(afterPresent(tags)).toEqual({...known(one), owners: ['old', 'job'], with: undefined})
})

test('a name that another digest had takes the reference that was found', () => {
  const tags = memory({[KEY]: known(two)})
  expect(afterPresent(tags)).toMatchObject({source: 'quay.io/second/app:v1', sourceDigest: one})
})

test('an image without a saved state counts as looked at only if no referrers are wanted', () => {
  expect(afterPresent(memory({}))?.looked).toBeUndefined()
  expect(afterPresent(memory({}), {referrers: false})?.looked).toBe(making.now)
})
