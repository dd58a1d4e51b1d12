import {MirrorError} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {reportErrorOf} from '#src/report/report-error.js'
import {failedReport, makeReport} from '#src/report/report.js'
import {formatFailed, formatReport} from '#src/report/write-report.js'

const run = {
  command: 'sync',
  source: 'images.txt',
  target: 'host:5000/ns',
  startedAt: new Date('2026-01-02T03:04:05Z'),
  finishedAt: new Date('2026-01-02T03:04:39Z'),
  requests: 3,
}

test('the report of a run that came to nothing has the shape of the others, and why', () => {
  const error = reportErrorOf(
    new MirrorError('UNREACHABLE', 'cannot reach host:5000', {side: 'target', hint: 'is it there?'}),
  )
  const report = failedReport(run, error)
  expect(report).toEqual({
    ...makeReport(run, []),
    outcome: 'failed',
    error: {code: 'UNREACHABLE', side: 'target', message: 'cannot reach host:5000', hint: 'is it there?'},
  })
  expect(Object.keys(JSON.parse(formatReport(report)) as object)).toEqual([
    '$schema',
    'schema',
    'version',
    'command',
    'source',
    'target',
    'startedAt',
    'finishedAt',
    'outcome',
    'totals',
    'error',
    'images',
  ])
  expect(formatFailed(report)).toBe('')
})

test('the report of a run that was stopped before it began says so', () => {
  expect(failedReport(run, reportErrorOf(new MirrorError('CANCELLED', 'stopped by SIGTERM'))).outcome).toBe(
    'cancelled',
  )
})

test('what was downloaded is in the totals where it was counted, and else absent', () => {
  expect(makeReport({...run, bytes: {downloaded: 7}}, []).totals.bytes.downloaded).toBe(7)
  expect('downloaded' in makeReport(run, []).totals.bytes).toBe(false)
})
