import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {thisProcess} from '@airgap-mirror/oci-client/model'
import {makeTempDir} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {PartialBundle} from '#src/write/bundle/partial-bundle.js'

async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch(() => [])
}

test('a directory of blobs is known as such until its last blob is removed', async () => {
  await using directory = await makeTempDir()
  const path = join(directory.path, 'x.tar.partial')
  const partial = await PartialBundle.open(path)
  await partial.claim()
  expect((await namesIn(path)).toSorted()).toEqual(['lock', 'oci-layout'])
  const blobs = join(path, 'blobs', 'sha256')
  await mkdir(blobs, {recursive: true})
  await Promise.all(Array.from({length: 500}, async (_, index) => writeFile(join(blobs, String(index)), '')))
  const removing = {isDone: false}
  const removed = partial.remove().finally(() => {
    removing.isDone = true
  })
  // A run may be killed at any of these moments.
  const seen: (readonly string[])[] = []
  while (!removing.isDone) seen.push(await namesIn(path))
  await removed
  expect(seen.some((names) => names.includes('blobs'))).toBe(true)
  expect(seen.filter((names) => names.includes('blobs') && !names.includes('oci-layout'))).toEqual([])
  expect(await namesIn(directory.path)).toEqual([])
})

test('a lock is taken over if its process is gone, though another process has its number', async () => {
  await using directory = await makeTempDir()
  const path = join(directory.path, 'x.tar.partial')
  await mkdir(path)
  const {host, since, boot, namespace} = await thisProcess()
  await writeFile(join(path, 'lock'), JSON.stringify({host, since, boot, namespace, pid: 1, start: '0'}))
  const partial = await PartialBundle.open(path)
  await partial.claim()
  expect(JSON.parse(await readFile(join(path, 'lock'), 'utf8'))).toMatchObject({pid: process.pid})
  await partial.release()
  expect(await namesIn(directory.path)).toEqual([])
})

test('a lock of a running process is held', async () => {
  await using directory = await makeTempDir()
  const path = join(directory.path, 'x.tar.partial')
  await mkdir(path)
  // Without the time of its start, the number alone tells the process.
  await writeFile(
    join(path, 'lock'),
    JSON.stringify({...(await thisProcess()), pid: process.ppid, start: undefined}),
  )
  const partial = await PartialBundle.open(path)
  await expect(partial.claim()).rejects.toMatchObject({
    code: 'STATE_LOCKED',
    message: expect.stringContaining(`of process ${process.ppid} since `),
  })
})
