import {describe, expect, test} from 'vitest'
import {formatPlan} from '#src/report/plan-table.js'
import type {ReportImage} from '#src/report/report.js'
import {formatSummary} from '#src/report/summary.js'
import {formatReport} from '#src/report/write-report.js'
import {failed, image, reportOf} from './report-fixtures.js'

describe('the summary', () => {
  const figures = {
    blobs: {uploaded: 40, mounted: 12, present: 3},
    bytes: {uploaded: 812_000_000, mounted: 120_000_000, present: 9_000_000},
  }

  test('a good run is one line', () => {
    const images = [
      ...Array.from({length: 12}, (_, index) => image(`a/i${index}:v`)),
      ...Array.from({length: 3}, (_, index) => image(`b/i${index}:v`, {status: 'present'})),
    ]
    expect(formatSummary(reportOf(images, figures))).toBe(
      '15 images: 12 pushed, 3 present, 0 failed; 812 MB sent in 40 blobs, 120 MB mounted in 12 blobs, 9.00 MB present in 3 blobs; 34 s\n',
    )
    expect(formatSummary(reportOf(images, figures), {quiet: true})).toBe('')
  })

  test('failures come before the figures: one line for each cause with the names, and one hint', () => {
    const report = reportOf([
      failed('a:1', 'free space'),
      failed('b:1', 'free space'),
      failed('c:1'),
      image('d:1'),
    ])
    const text = [
      'error: target: 2 images: the manifest was refused: no space: host:5000/ns/a:1, host:5000/ns/b:1',
      'hint: free space',
      'error: target: host:5000/ns/c:1: the manifest was refused: no space',
      '4 images: 1 pushed, 0 present, 3 failed; 0 B sent; 34 s',
      '',
    ].join('\n')
    expect(formatSummary(report)).toBe(text)
    expect(formatSummary(report, {quiet: true})).toBe(text)
  })

  test('a verification of which every image failed sends and pushes nothing', () => {
    expect(formatSummary(reportOf([failed('a:1')], {command: 'verify'}))).toContain(
      '1 image: 0 verified, 0 differs, 1 failed; 34 s',
    )
  })

  test('each error of the whole run is a line of its own', () => {
    const errors = ['a.example cannot list tags', 'b.example is gone'].map((message) => ({
      code: 'TRANSPORT_FAILED',
      side: 'source' as const,
      message,
      hint: 'Try again.',
    }))
    const report = reportOf([image('a:1')], {errors})
    expect([report.error, report.errors]).toEqual([errors[0], errors])
    expect(formatSummary(report).split('\n').slice(0, 3)).toEqual([
      'error: source: a.example cannot list tags',
      'error: source: b.example is gone',
      'hint: Try again.',
    ])
    expect(reportOf([], {errors: errors.slice(1)})).toMatchObject({error: errors[1], errors: undefined})
  })

  test('causes that share a hint are followed by it once', () => {
    const error = {code: 'DENIED', side: 'target', hint: 'Ask for the right.'} as const
    const report = reportOf([
      image('a:1', {status: 'failed', error: {...error, message: 'no push right'}}),
      image('b:1', {status: 'failed', error: {...error, message: 'no pull right'}}),
    ])
    expect(formatSummary(report).split('\n').slice(0, 3)).toEqual([
      'error: target: host:5000/ns/a:1: no push right',
      'error: target: host:5000/ns/b:1: no pull right',
      'hint: Ask for the right.',
    ])
  })

  test('a target that several names of one digest share is listed once among the changed digests', () => {
    const made = {target: 'host:5000/ns/b:1', digestChanged: true, reason: 'made anew'} as const
    expect(
      formatSummary(reportOf([image('b:1', made), image('z/b:1', made)]))
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'another digest for 2 images: made anew',
      '  host:5000/ns/b:1',
      expect.stringMatching(/^2 images: 2 pushed/),
    ])
  })

  test('the side decides which name is told, and a message that has it is not told it twice', () => {
    const error = {code: 'DIGEST_MISMATCH', side: 'source', message: 'damaged'} as const
    const report = reportOf([
      image('a:1', {status: 'failed', error}),
      image('b:1', {status: 'failed', error: {...error, message: 'gcr.io/b:1 is damaged'}}),
    ])
    expect(formatSummary(report)).toContain(
      'error: source: gcr.io/a:1: damaged\nerror: source: gcr.io/b:1 is damaged\n',
    )
  })

  test.each([
    [
      (name: string) => `gcr.io/${name} is not in its registry`,
      'the image is not in its registry: gcr.io/a/b:1, gcr.io/c:2',
    ],
    [
      (name: string) =>
        `host:5000/ns/${name} is sha256:${name.length.toString(16).repeat(64)}, not sha256:${'0'.repeat(64)}`,
      'the image is sha256:…, not sha256:…: gcr.io/a/b:1, gcr.io/c:2',
    ],
    [
      (name: string) => `host:5000/ns/${name.split(':')[0]} lacks the config`,
      'the repository lacks the config: gcr.io/a/b:1, gcr.io/c:2',
    ],
    [() => 'the name gcr.io is not known', 'the name gcr.io is not known: gcr.io/a/b:1, gcr.io/c:2'],
  ])('the same cause in messages that name the image is one cause: %#', (message, told) => {
    const images = ['a/b:1', 'c:2'].map((name) =>
      image(name, {status: 'failed', error: {code: 'X', side: 'source', message: message(name)}}),
    )
    expect(formatSummary(reportOf(images)).split('\n')[0]).toBe(`error: source: 2 images: ${told}`)
  })

  test('a name is not found as a part of another name', () => {
    const images = ['a:1', 'c:2'].map((name) =>
      image(name, {
        status: 'failed',
        error: {
          code: 'X',
          side: 'source',
          message: `gcr.io/${name} is not gcr.io/${name}2 or x/gcr.io/${name}`,
        },
      }),
    )
    expect(formatSummary(reportOf(images)).split('\n').slice(0, 2)).toEqual([
      'error: source: gcr.io/a:1 is not gcr.io/a:12 or x/gcr.io/a:1',
      'error: source: gcr.io/c:2 is not gcr.io/c:22 or x/gcr.io/c:2',
    ])
  })

  test('changed digests by reason, and how many more', () => {
    const changed = (name: string, reason: string): ReportImage => image(name, {digestChanged: true, reason})
    const report = reportOf([
      ...Array.from({length: 12}, (_, index) => changed(`a${index}:v`, 'plain layers')),
      changed('b:v', 'pruned'),
    ])
    expect(formatSummary(report).split('\n').slice(0, 7)).toEqual([
      'another digest for 12 images: plain layers',
      '  host:5000/ns/a0:v',
      '  host:5000/ns/a1:v',
      '  host:5000/ns/a2:v',
      '  and 9 more: see --report',
      'another digest for 1 image: pruned',
      '  host:5000/ns/b:v',
    ])
  })

  test('a changed digest is told by the run that changes it, and not while the image is there', () => {
    const changed = {digestChanged: true, reason: 'plain layers'}
    const report = reportOf([
      image('a:1', {status: 'present', ...changed}),
      image('b:1', {status: 'verified', ...changed}),
      image('c:1', {status: 'drifted', ...changed}),
    ])
    expect(formatSummary(report)).not.toContain('another digest')
    expect(formatPlan(reportOf([image('a:1', {status: 'present', ...changed})]))).not.toContain(
      'another digest',
    )
  })

  test('ten thousand failures with one cause are one line, one hint and the figures', () => {
    const report = reportOf(Array.from({length: 10_000}, (_, index) => failed(`i${index}:v`, 'free space')))
    expect(formatSummary(report, {quiet: true}).split('\n')).toEqual([
      'error: target: 10000 images: the manifest was refused: no space: host:5000/ns/i0:v, host:5000/ns/i1:v, host:5000/ns/i2:v, host:5000/ns/i3:v, host:5000/ns/i4:v and 9995 more',
      'hint: free space',
      '10000 images: 0 pushed, 0 present, 10000 failed; 0 B sent; 34 s',
      '',
    ])
  })

  test('a thousand failures with a cause of their own do not flood the terminal', () => {
    const report = reportOf(
      Array.from({length: 1000}, (_, index) =>
        image(`i${index}:v`, {status: 'failed', error: {code: 'X', message: `damaged at byte ${index}`}}),
      ),
    )
    const lines = formatSummary(report).split('\n')
    expect(lines).toHaveLength(28)
    expect(lines[25]).toBe('  and 975 images for 975 other causes: see --report')
  })

  test('a quiet dry run prints no plan, so it tells its failures', () => {
    const report = reportOf([image('a:1', {status: 'planned'}), failed('b:1')])
    expect(formatSummary(report)).toBe('')
    expect(formatSummary(report, {quiet: true})).toBe(
      'error: target: host:5000/ns/b:1: the manifest was refused: no space\n',
    )
  })

  test('an interrupted run says what to do', () => {
    const text = formatSummary(reportOf([image('a'), image('b', {status: 'cancelled'})]))
    expect(text).toBe(
      'interrupted: 2 images: 1 pushed, 0 present, 0 failed, 1 cancelled; 0 B sent; 34 s\nhint: Run the same command again: it sends only what is missing.\n',
    )
  })

  test('names from a bundle cannot move the cursor', () => {
    const hostile = 'a\u001B[2J\n'
    const report = reportOf([
      image(hostile, {digestChanged: true, reason: hostile}),
      image(hostile, {status: 'failed', error: {code: 'X', message: hostile, hint: hostile}}),
      image(hostile, {status: 'planned', bytesToSend: 1}),
    ])
    expect(`${formatSummary(report)}${formatPlan(report)}${formatReport(report)}`).not.toContain('\u001B')
  })
})

test('the plan of a dry run', () => {
  const report = reportOf(
    [
      image('a/long/name:v1', {status: 'planned', bytesToSend: 112_000_000}),
      image('b:v2', {status: 'present'}),
      image('c:v3', {status: 'planned', bytesToSend: 0, digestChanged: true, reason: 'plain layers'}),
      failed('d:v4'),
    ],
    {bytes: {toSend: 112_000_000}},
  )
  expect(formatPlan(report)).toBe(
    [
      '   112 MB  gcr.io/a/long/name:v1  ->  host:5000/ns/a/long/name:v1',
      '  present  gcr.io/b:v2            ->  host:5000/ns/b:v2',
      '      0 B  gcr.io/c:v3            ->  host:5000/ns/c:v3',
      'error: target: host:5000/ns/d:v4: the manifest was refused: no space',
      'another digest for 1 image: plain layers',
      '  host:5000/ns/c:v3',
      '4 images: 2 to push, 1 present, 1 failed; at most 112 MB to send; nothing was changed',
      '',
    ].join('\n'),
  )
  expect(formatSummary(report)).toBe('')
})
