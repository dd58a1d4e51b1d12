import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {readJobFile} from '#src/job/read-job-file.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-job-'))
})
afterAll(() => rm(directory, {recursive: true}))

it('reads a job file from disk: names in it are relative to it', async () => {
  const path = join(directory, 'mirror.yaml')
  await writeFile(path, 'jobs: [{name: "${NAME}", images: [a.txt, /b.txt]}]\n')
  const {jobs} = await readJobFile(path, {NAME: 'nightly'})
  expect(jobs).toMatchObject([{name: 'nightly', images: [join(directory, 'a.txt'), '/b.txt']}])
})

it('says which file it cannot read, and of which it speaks', async () => {
  const missing = join(directory, 'missing.yaml')
  await expect(readJobFile(missing, {})).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(
      `--config ${missing} cannot be read: there is no such file or directory`,
    ) as string,
  })
  const path = join(directory, 'latin.yaml')
  await writeFile(path, Buffer.from([0x61, 0x3a, 0xe4]))
  await expect(readJobFile(path, {})).rejects.toMatchObject({code: 'CONFIG_INVALID'})
  await writeFile(path, 'jobs: 1\n')
  await expect(readJobFile(path, {})).rejects.toThrow(`${path}: 1 problem; line 1: jobs: `)
})
