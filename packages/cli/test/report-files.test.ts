import {lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeAtomically} from '#src/files/write-atomically.js'
import {formatFailed, writeFailed, writeReport} from '#src/report/write-report.js'
import {failed, image, reportOf} from './report-fixtures.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-report-'))
})
afterAll(async () => {
  await rm(directory, {recursive: true})
})

describe('files', () => {
  test('the report and the list of what was not done', async () => {
    const report = reportOf([
      image('a:1'),
      failed('b:1'),
      image('b:1', {status: 'cancelled'}),
      image('c:1', {status: 'skipped'}),
      image('d:1', {status: 'drifted'}),
    ])
    const [reportFile, failedFile] = [join(directory, 'report.json'), join(directory, 'failed.txt')]
    await writeReport(reportFile, report)
    await writeFailed(failedFile, report)
    expect(JSON.parse(await readFile(reportFile, 'utf8'))).toEqual(report)
    expect(await readFile(failedFile, 'utf8')).toBe('gcr.io/b:1\ngcr.io/c:1\ngcr.io/d:1\n')
    expect(formatFailed(reportOf([image('a:1')]))).toBe('# mirror: nothing failed\n')
  })

  test('a file is replaced, through a link too, and nothing else is left behind', async () => {
    const home = await mkdtemp(join(directory, 'replace-'))
    await writeFile(join(home, 'real'), 'old')
    await symlink('real', join(home, 'link'))
    await writeAtomically(join(home, 'link'), 'new')
    expect(await readFile(join(home, 'real'), 'utf8')).toBe('new')
    expect((await lstat(join(home, 'link'))).isSymbolicLink()).toBe(true)
    expect((await readdir(home)).sort()).toEqual(['link', 'real'])
  })

  test('a device is written, not replaced', async () => {
    await writeAtomically('/dev/null', 'x')
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  test('what cannot be written says which file, and leaves nothing', async () => {
    const home = await mkdtemp(join(directory, 'refused-'))
    await expect(writeAtomically(join(home, 'no/such/file'), 'x')).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining(join(home, 'no/such/file')) as string,
    })
    await expect(writeAtomically(home, 'x')).rejects.toMatchObject({code: 'WRITE_FAILED'})
    expect(await readdir(home)).toEqual([])
  })
})
