import {expect, test} from 'vitest'
import {attachedTo, cosignTags, digestOf, referrersTag} from '#src/model/index.js'

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
