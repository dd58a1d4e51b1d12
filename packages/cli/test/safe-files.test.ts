import {chmod, lchown, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {writeAtomically} from '#src/files/write-atomically.js'
import {writeMetrics} from '#src/report/metrics.js'
import {reportOf} from './report-fixtures.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-safe-'))
})
afterAll(() => rm(directory, {recursive: true}))

const OTHER = 12_345
const isRoot = process.getuid?.() === 0

/** A file of ours, and a link to it that another user made. */
async function trap(name: string): Promise<{readonly victim: string; readonly link: string}> {
  const home = join(directory, name)
  await mkdir(home)
  const victim = join(home, 'victim')
  await writeFile(victim, 'precious', {mode: 0o600})
  const link = join(home, 'link')
  await symlink(victim, link)
  await lchown(link, OTHER, OTHER)
  return {victim, link}
}

test.skipIf(!isRoot)(
  'A link that another user made is replaced, and the file behind it stays (needs root)',
  async () => {
    const {victim, link} = await trap('report')
    await writeAtomically(link, 'report')
    expect(await readFile(victim, 'utf8')).toBe('precious')
    expect((await lstat(link)).isFile()).toBe(true)
    expect(await readFile(link, 'utf8')).toBe('report')
  },
)

test.skipIf(!isRoot)(
  'Metrics open no file behind the link of another user to everybody (needs root)',
  async () => {
    const {victim, link} = await trap('metrics')
    await writeMetrics(link, {report: reportOf([]), exitCode: 0})
    expect(await readFile(victim, 'utf8')).toBe('precious')
    expect((await stat(victim)).mode & 0o777).toBe(0o600)
    expect((await stat(link)).mode & 0o777).toBe(0o644)
  },
)

test('A file that is replaced keeps its mode', async () => {
  const path = join(directory, 'kept')
  await writeFile(path, 'old')
  await chmod(path, 0o640)
  await writeAtomically(path, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await stat(path)).mode & 0o777).toBe(0o640)
})

test('A link of our own to a file that is not there yet makes that file', async () => {
  await symlink('later', join(directory, 'dangling'))
  await writeAtomically(join(directory, 'dangling'), 'text')
  expect(await readFile(join(directory, 'later'), 'utf8')).toBe('text')
})
