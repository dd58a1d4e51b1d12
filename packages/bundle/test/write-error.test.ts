import {expect, test} from 'vitest'
import {writeFailed} from '#src/write/write-error.js'

test.each([
  ['ENOSPC', 'there is no space left on the disk', {kind: 'free-disk'}],
  ['EACCES', 'permission is denied', {kind: 'use-writable-place'}],
  ['EPIPE', 'its reader has ended', undefined],
])('a failed write with %s says why, and has advice only if it helps', (code, reason, advice) => {
  const error = writeFailed('standard output', Object.assign(new Error(`write ${code}`), {code}))
  expect(error).toMatchObject({code: 'WRITE_FAILED', message: `cannot write standard output: ${reason}`})
  expect(error.advice).toEqual(advice)
})
