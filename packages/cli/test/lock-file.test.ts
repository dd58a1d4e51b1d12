import {parseReference, type Digest, type Platform} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {parseImageList} from '#src/names/image-list.js'
import {formatLockFile, sizesInLock} from '#src/names/lock-file.js'

const digest: Digest = `sha256:${'a'.repeat(64)}`
const OTHER = `registry.example/other:v1@sha256:${'b'.repeat(64)}`

function locked(platform: Platform) {
  const reference = parseReference('quay.io/team/app:v1')
  return formatLockFile([{reference, digest, bytes: 7, platforms: [{platform, digest, leftOut: false}]}])
}

test.each([
  ['a line break', `linux\n${OTHER}\n#`],
  ['a carriage return', `linux\r${OTHER}\r#`],
  ['a line separator', `linux\u2028${OTHER}`],
  ['a size', '9 bytes\n#   9 bytes\n#'],
])('a platform with %s adds no image and no size to a lock file', (_what, os) => {
  const text = locked({os, architecture: 'amd64'})
  const name = `quay.io/team/app:v1@${digest}`
  expect(parseImageList(text, 'lock').map(({source}) => source)).toEqual([parseReference(name)])
  expect([...sizesInLock(text)]).toEqual([[name, 7]])
})
