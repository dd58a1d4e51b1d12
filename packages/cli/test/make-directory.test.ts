import {makeDirectory} from '@airgap-mirror/oci-client/model'
import {mkdir, stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, expect, it} from 'vitest'

let directory: TempDir
beforeEach(async () => {
  directory = await makeTempDir()
})
afterEach(() => directory.remove())

it('makes every level that is missing, with the mode', async () => {
  const path = join(directory.path, 'a', 'b', 'c')
  await makeDirectory(path, {mode: 0o700})
  await makeDirectory(path, {mode: 0o700})
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  expect((await stat(join(directory.path, 'a'))).mode & 0o777).toBe(0o700)
})

it('takes a link to a directory for one', async () => {
  await mkdir(join(directory.path, 'real'))
  await symlink('real', join(directory.path, 'link'))
  await expect(makeDirectory(join(directory.path, 'link'))).resolves.toBeUndefined()
})

it('fails below a file', async () => {
  await writeFile(join(directory.path, 'file'), '')
  await expect(makeDirectory(join(directory.path, 'file', 'x'))).rejects.toThrow(/ENOTDIR|EEXIST/)
})

it.skipIf(process.platform !== 'linux')('ends where the kernel makes no directory, as in /proc', async () => {
  await expect(makeDirectory('/proc/nope/deeper')).rejects.toThrow('ENOENT')
})
