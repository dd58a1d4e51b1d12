import {MirrorError, type ErrorCode} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {exitCodeOfError, exitCodeOfReport} from '#src/report/exit-code.js'
import {reportErrorOf} from '#src/report/report-error.js'
import {outcomeOf, type ImageStatus, type Report, type ReportImage} from '#src/report/report.js'
import {formatReport} from '#src/report/write-report.js'
import {digest, failed, image, reportOf} from './report-fixtures.js'

test('the report has exactly the shape that scripts read', () => {
  const report = reportOf(
    [
      image('a/b:v1', {sourceDigest: digest('a'), targetDigest: digest('a'), bytesUploaded: 123}),
      image('c/d:v2', {digestChanged: true, reason: 'plain layers', targetDigest: digest('b')}),
      failed('e/f:v3', 'free some space'),
    ],
    {blobs: {uploaded: 40, present: 3}, bytes: {uploaded: 1, decoded: 4}, requests: 120},
  )
  expect(formatReport(report)).toMatchInlineSnapshot(`
    "{
      "$schema": "urn:mirror:report:v1",
      "schema": "mirror.report/v1",
      "version": "0.1.0",
      "command": "push",
      "source": "bundle.tar.xz",
      "target": "host:5000/ns",
      "startedAt": "2026-01-02T03:04:05.000Z",
      "finishedAt": "2026-01-02T03:04:39.000Z",
      "outcome": "partial",
      "totals": {
        "images": 3,
        "succeeded": 2,
        "failed": 1,
        "blobs": {
          "uploaded": 40,
          "mounted": 0,
          "present": 3
        },
        "bytes": {
          "uploaded": 1,
          "present": 0,
          "mounted": 0,
          "decoded": 4,
          "scratchPeak": 0
        },
        "requests": 120,
        "retries": 0
      },
      "images": [
        {
          "source": "gcr.io/a/b:v1",
          "target": "host:5000/ns/a/b:v1",
          "status": "pushed",
          "digestChanged": false,
          "bytesUploaded": 123,
          "attempts": 1,
          "sourceDigest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "targetDigest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        },
        {
          "source": "gcr.io/c/d:v2",
          "target": "host:5000/ns/c/d:v2",
          "status": "pushed",
          "digestChanged": true,
          "bytesUploaded": 0,
          "attempts": 1,
          "reason": "plain layers",
          "targetDigest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        },
        {
          "source": "gcr.io/e/f:v3",
          "target": "host:5000/ns/e/f:v3",
          "status": "failed",
          "digestChanged": false,
          "bytesUploaded": 0,
          "attempts": 1,
          "error": {
            "code": "MANIFEST_REJECTED",
            "side": "target",
            "message": "the manifest was refused: no space",
            "hint": "free some space"
          }
        }
      ]
    }
    "
  `)
})

describe('outcomes', () => {
  test.each<[ImageStatus[], string]>([
    [[], 'ok'],
    [['pushed', 'present', 'pruned'], 'ok'],
    [['skipped'], 'ok'],
    [['planned', 'present'], 'planned'],
    [['failed', 'present'], 'partial'],
    [['drifted', 'pushed'], 'partial'],
    [['failed', 'skipped'], 'failed'],
    [['failed', 'planned'], 'partial'],
    [['pushed', 'failed', 'cancelled'], 'cancelled'],
  ])('%j comes to %s', (statuses, outcome) => {
    expect(outcomeOf(statuses.map((status) => ({status})))).toBe(outcome)
  })
})

describe('exit codes', () => {
  const outcome = (...statuses: ImageStatus[]): Report =>
    reportOf(statuses.map((status, index) => image(`i${index}`, {status})))

  test.each([
    ['pushed', outcome('pushed', 'present'), 0],
    ['planned', outcome('planned'), 0],
    ['partial', outcome('pushed', 'failed'), 3],
    ['drifted', outcome('pushed', 'drifted'), 3],
    ['failed', outcome('failed', 'failed'), 1],
    ['cancelled', outcome('pushed', 'cancelled'), 130],
  ])('a report: %s', (_, report, code) => {
    expect(exitCodeOfReport(report)).toBe(code)
  })

  test('a report of damage alone is invalid input, while nothing was sent for it', () => {
    const damaged = (attempts: number, code: ErrorCode = 'DIGEST_MISMATCH'): ReportImage =>
      image('a', {status: 'failed', attempts, error: {code, side: 'source', message: 'x'}})
    expect(exitCodeOfReport(reportOf([damaged(0), damaged(0)]))).toBe(2)
    expect(exitCodeOfReport(reportOf([damaged(0), damaged(1)]))).toBe(1)
    expect(exitCodeOfReport(reportOf([damaged(0), damaged(0, 'UNREACHABLE')]))).toBe(1)
  })

  test('a termination is told from an interrupt', () => {
    expect(exitCodeOfReport(outcome('cancelled'), {endedBy: 'SIGTERM'})).toBe(143)
    expect(exitCodeOfReport(outcome('cancelled'), {endedBy: 'SIGINT'})).toBe(130)
    expect(exitCodeOfError(new MirrorError('CANCELLED', 'x'), {endedBy: 'SIGTERM'})).toBe(143)
  })

  test('verify: differences are no failures', () => {
    const report = reportOf([image('a', {status: 'differs'}), image('b')], {command: 'verify'})
    expect(exitCodeOfReport(report)).toBe(4)
    expect(exitCodeOfReport(reportOf([failed('a')], {command: 'verify'}))).toBe(1)
  })

  test.each<[ErrorCode, number]>([
    ['USAGE', 2],
    ['NAME_COLLISION', 2],
    ['IMAGE_NOT_FOUND', 2],
    ['CREDENTIALS_INVALID', 2],
    ['CERTIFICATE_INVALID', 2],
    ['SOURCE_UNKNOWN', 2],
    ['SOURCE_CORRUPT', 2],
    ['LIMIT_EXCEEDED', 2],
    ['STATE_LOCKED', 5],
    ['CANCELLED', 130],
    ['UNREACHABLE', 1],
    ['AUTH_REQUIRED', 1],
    ['SCRATCH_FULL', 1],
    ['WRITE_FAILED', 1],
  ])('an error: %s is %d', (code, exit) => {
    expect(exitCodeOfError(new MirrorError(code, 'x'))).toBe(exit)
  })

  test('damage is invalid input only before bytes were sent, and only in the source', () => {
    const damage = new MirrorError('SOURCE_CORRUPT', 'x', {side: 'source'})
    expect(exitCodeOfError(damage)).toBe(2)
    expect(exitCodeOfError(damage, {sending: true})).toBe(1)
    expect(exitCodeOfError(new MirrorError('LIMIT_EXCEEDED', 'x', {side: 'target'}))).toBe(1)
    expect(exitCodeOfError(new MirrorError('USAGE', 'x'), {sending: true})).toBe(2)
  })

  test.each([new TypeError('x'), 'x', undefined])('a bug is 70: %s', (thrown) => {
    expect(exitCodeOfError(thrown)).toBe(70)
  })
})

describe('what a report keeps of an error', () => {
  test('code, side, message with causes, hint', () => {
    const error = new MirrorError('UNREACHABLE', 'no answer', {
      side: 'target',
      hint: 'is it up?',
      cause: new Error('ECONNRESET at https://h/b?sig=1'),
    })
    expect(reportErrorOf(error)).toEqual({
      code: 'UNREACHABLE',
      side: 'target',
      message: 'no answer: ECONNRESET at https://h/b?…',
      hint: 'is it up?',
    })
  })

  test('a bug says that it is one', () => {
    expect(reportErrorOf(new TypeError('x'))).toMatchObject({code: 'BUG', message: 'TypeError: x'})
  })
})
