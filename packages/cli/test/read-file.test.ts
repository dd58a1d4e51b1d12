import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {limits} from '@airgap-mirror/oci-client/model'
import {withTempDir} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {readTextFile} from '#src/files/read-file.js'

async function read(text: string | Buffer): Promise<string> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'list')
    await writeFile(path, text)
    return readTextFile(path, {flag: '--images', limit: limits.listBytes, code: 'LIST_INVALID'})
  })
}

test('A file of as many lines as allowed is read, and one more is refused', async () => {
  const text = 'a\n'.repeat(limits.textLines - 1)
  expect(await read(text)).toBe(text)
  await expect(read(`${text}\n`)).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: expect.stringContaining(`over the limit of ${limits.textLines} lines`) as string,
  })
})

test.each([
  ['too many bytes', Buffer.alloc(limits.listBytes + 1, 'a'), 'LIMIT_EXCEEDED'],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0xff]), 'LIST_INVALID'],
])('A file of %s is refused', async (_, bytes, code) => {
  await expect(read(bytes)).rejects.toMatchObject({code})
})
