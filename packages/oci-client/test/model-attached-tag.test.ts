import {expect, test} from 'vitest'
import {attachedTo, cosignSuffix, cosignTag, cosignTags, digestOf, referrersTag} from '#src/model/index.js'

const bytes = new TextEncoder().encode('image')
const short = digestOf(bytes)
const long = digestOf(bytes, 'sha512')
const [hex, longHex] = [short.slice(7), long.slice(7)]

test('the tags of cosign and of the referrers tag schema are known as attached to their digest, in both algorithms', () => {
  for (const digest of [short, long]) {
    const tags = [...cosignTags(digest), referrersTag(digest)]
    expect(tags.map(attachedTo)).toEqual(tags.map(() => referrersTag(digest)))
  }
  expect(cosignTags(long)).toContain(`sha512-${longHex}.att`)
  expect(referrersTag(long)).toBe(`sha512-${longHex.slice(0, 64)}`)
})

test('a tag of cosign tells what it attaches, and no other tag does', () => {
  for (const digest of [short, long])
    for (const suffix of ['sig', 'att', 'sbom'] as const)
      expect(cosignSuffix(cosignTag(digest, suffix))).toBe(suffix)
  for (const tag of ['v1', referrersTag(short), `sha256-${hex}.txt`])
    expect(cosignSuffix(tag)).toBeUndefined()
})

test.each([
  'v1',
  `sha256-${hex.slice(1)}`,
  `sha256-${hex}0`,
  `sha256-${longHex}.sig`,
  `sha512-${longHex.slice(0, 65)}`,
  `sha256-${hex}.txt`,
  `sha256-${hex}-amd64`,
  `sha256-${hex.toUpperCase()}`,
  `asha256-${hex}.sig`,
])('the tag %s is the tag of an image', (tag) => {
  expect(attachedTo(tag)).toBeUndefined()
})
