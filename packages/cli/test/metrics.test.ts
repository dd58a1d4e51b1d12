import {execFile} from 'node:child_process'
import {readdir, readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeTempDir, requireTool, runChild, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {printable} from '#src/text/printable.js'
import {formatMetrics, writeMetrics} from '#src/report/metrics.js'
import {failedReport, type ReportImage, type RunFigures} from '#src/report/report.js'
import {parseExposition} from './exposition.js'
import {failed, image, reportOf} from './report-fixtures.js'

const ENDED = Date.parse('2026-01-02T03:04:39Z') / 1000

/** `mirror_last_run_bytes{direction="uploaded"}` and its value. */
function valuesIn(text: string): Record<string, number> {
  return Object.fromEntries(
    parseExposition(text).samples.map(({name, labels, value}) => {
      const own = labels['status'] ?? labels['direction']
      return [`${name.replace(/^mirror_last_/, '')}${own === undefined ? '' : ` ${own}`}`, value]
    }),
  )
}

function sync(images: readonly ReportImage[], figures: Partial<RunFigures> = {}) {
  return reportOf(images, {command: 'sync', source: 'images.txt', ...figures})
}

describe('metrics', () => {
  it('of the shards of a job have a label each, also if a shard could not begin', () => {
    const texts = [0, 1].map((index) =>
      formatMetrics(sync([image('a:1')], {shard: {index, count: 2}}), {exitCode: 0}),
    )
    const shards = texts.map(
      (text) => new Set(parseExposition(text).samples.map(({labels}) => labels['shard'])),
    )
    expect(shards).toEqual([new Set(['0/2']), new Set(['1/2'])])
  })

  it('tell a run in the format of Prometheus', () => {
    const report = sync(
      [
        image('a:1'),
        image('a:2'),
        image('b:1', {status: 'present'}),
        failed('c:1'),
        image('d:1', {status: 'drifted'}),
      ],
      {bytes: {uploaded: 5e9, downloaded: 4, mounted: 3, present: 2}, requests: 120, retries: 1},
    )
    const text = formatMetrics(report, {exitCode: 3})
    expect(valuesIn(text)).toEqual({
      run_timestamp_seconds: ENDED,
      success_timestamp_seconds: 0,
      run_duration_seconds: 34,
      run_exit_code: 3,
      'run_images pushed': 2,
      'run_images present': 1,
      'run_images failed': 1,
      'run_images skipped': 0,
      'run_images verified': 0,
      'run_images cancelled': 0,
      'run_images differs': 0,
      'run_images drifted': 1,
      'run_images pruned': 0,
      'run_bytes uploaded': 5e9,
      'run_bytes downloaded': 4,
      'run_bytes mounted': 3,
      'run_bytes present': 2,
      run_requests: 120,
      run_retries: 1,
    })
    expect(text.split('\n').slice(0, 3)).toEqual([
      '# HELP mirror_last_run_timestamp_seconds The end of the last run, in seconds since 1970.',
      '# TYPE mirror_last_run_timestamp_seconds gauge',
      'mirror_last_run_timestamp_seconds{command="sync",source="images.txt",target="host:5000/ns"} 1767323079',
    ])
    const {types, help, samples} = parseExposition(text)
    expect(new Set(types.values())).toEqual(new Set(['gauge']))
    expect([...help.keys()]).toEqual([...types.keys()])
    for (const {labels} of samples)
      expect(labels).toMatchObject({command: 'sync', source: 'images.txt', target: 'host:5000/ns'})
  })

  it('have the same series whatever became of the run', () => {
    const seriesOf = (text: string) => Object.keys(valuesIn(text))
    const error = {code: 'UNREACHABLE', message: 'cannot reach it'}
    const none = failedReport({...sync([]), startedAt: new Date(0), finishedAt: new Date(1)}, error)
    const some = sync([image('a:1', {status: 'pruned'})])
    expect(seriesOf(formatMetrics(none, {exitCode: 1}))).toEqual(seriesOf(formatMetrics(some, {exitCode: 0})))
  })

  it('escape what stands in labels', () => {
    const source = String.raw`C:\lists\"new"` + '\n}7 # é\u2028\u{E0041}\u3164\uFE0F'
    const text = formatMetrics(sync([], {source}), {exitCode: 0})
    expect(parseExposition(text).samples.map(({labels}) => labels['source'])).toEqual(
      parseExposition(text).samples.map(() => printable(source)),
    )
    expect(printable(text.replaceAll('\n', ''))).toBe(text.replaceAll('\n', ''))
  })

  describe('of the last success', () => {
    const success = (text: string) => valuesIn(text)['success_timestamp_seconds']
    const before = formatMetrics(sync([], {finishedAt: new Date('2026-01-01T00:00:00.250Z')}), {exitCode: 0})

    it('are those of a run whose exit code is 0', () => {
      expect(success(before)).toBe(Date.parse('2026-01-01T00:00:00.250Z') / 1000)
      expect(success(formatMetrics(sync([]), {exitCode: 0, previous: before}))).toBe(ENDED)
    })

    it('outlive runs that fail, and dry runs', () => {
      const failing = formatMetrics(sync([failed('a:1')]), {exitCode: 1, previous: before})
      expect(success(failing)).toBe(success(before))
      const again = formatMetrics(sync([failed('a:1')]), {exitCode: 3, previous: failing})
      expect(success(again)).toBe(success(before))
      const planned = sync([image('a:1', {status: 'planned'})])
      expect(success(formatMetrics(planned, {exitCode: 0, previous: again}))).toBe(success(before))
    })

    it('outlive a run that ended before its target was known', () => {
      const unread = sync([failed('a:1')], {target: ''})
      expect(success(formatMetrics(unread, {exitCode: 2, previous: before}))).toBe(success(before))
    })

    it.each([
      ['another job’s', before.replaceAll('images.txt', 'other.txt')],
      ['empty', ''],
      ['cut off', before.slice(0, before.indexOf('} 17672') + 1)],
      ['no number', before.replaceAll(/\} 17672\S+/g, '} soon')],
      ['without one', before.replaceAll(/\} 17672\S+/g, '} ')],
      ['negative', before.replaceAll('} 17672', '} -17672')],
      ['to come', before.replaceAll('} 17672', '} 97672')],
      ['endless', before.replaceAll(/\} 17672\S+/g, '} +Inf')],
    ])('are nothing where what was there before is %s', (_what, previous) => {
      expect(previous).not.toBe(before)
      expect(success(formatMetrics(sync([failed('a:1')]), {exitCode: 1, previous}))).toBe(0)
    })
  })

  it('are what promtool takes, without a remark', async (context) => {
    requireTool(context, 'promtool')
    const text = formatMetrics(sync([image('a:1')], {source: 'a "b" \\ \n'}), {exitCode: 0})
    const env = {PATH: process.env['PATH']}
    const checked = await runChild('promtool', ['check', 'metrics'], {env, stdin: text})
    expect(checked).toMatchObject({code: 0, stdout: '', stderr: ''})
  })
})

describe('the file of metrics', () => {
  let temporary: TempDir
  let path: string
  beforeEach(async () => {
    temporary = await makeTempDir()
    path = join(temporary.path, 'mirror.prom')
  })
  afterEach(() => temporary.remove())

  const write = (exitCode: 0 | 1, finishedAt: string) =>
    writeMetrics(path, {report: sync([], {finishedAt: new Date(finishedAt)}), exitCode})
  const read = async () => valuesIn(await readFile(path, 'utf8'))

  it('keeps the time of the last success from run to run', async () => {
    await write(1, '2026-01-01T01:00:00Z')
    expect(await read()).toMatchObject({success_timestamp_seconds: 0, run_exit_code: 1})
    await write(0, '2026-01-02T01:00:00Z')
    await write(1, '2026-01-03T01:00:00Z')
    await write(1, '2026-01-04T01:00:00Z')
    expect(await read()).toMatchObject({
      run_timestamp_seconds: Date.parse('2026-01-04T01:00:00Z') / 1000,
      success_timestamp_seconds: Date.parse('2026-01-02T01:00:00Z') / 1000,
    })
    expect(await readdir(temporary.path)).toEqual(['mirror.prom'])
  })

  it.each([0o022, 0o077])('can be read by everybody, whatever the mask (%o)', async (mask) => {
    const before = process.umask(mask)
    try {
      for (let run = 0; run < 2; run += 1) {
        await write(0, '2026-01-01T01:00:00Z')
        expect((await stat(path)).mode & 0o777).toBe(0o644)
      }
    } finally {
      process.umask(before)
    }
  })

  it('is written anew where it was damaged', async () => {
    await writeFile(path, Buffer.alloc(3 * 1024 * 1024, 'mirror_last_success_timestamp_seconds{ '))
    await write(1, '2026-01-01T01:00:00Z')
    expect(await read()).toMatchObject({success_timestamp_seconds: 0})
  })

  it('may be a pipe, which is not waited for', async () => {
    await runChild('mkfifo', [path], {env: {PATH: process.env['PATH']}})
    const reader = new Promise<string>((resolve, reject) => {
      execFile('cat', [path], (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
    })
    await write(0, '2026-01-01T01:00:00Z')
    expect(valuesIn(await reader)).toMatchObject({run_exit_code: 0})
  })

  it('that cannot be written is told by its name', async () => {
    path = join(temporary.path, 'no', 'such', 'directory')
    await expect(write(0, '2026-01-01T01:00:00Z')).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining(path) as string,
    })
  })
})
