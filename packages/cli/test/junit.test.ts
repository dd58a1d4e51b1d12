import {expect, test} from 'vitest'
import {formatJunit} from '#src/report/junit.js'
import {withExitCode} from '#src/report/exit-code.js'
import {failedReport} from '#src/report/report.js'
import {failed, image, reportOf} from './report-fixtures.js'

test('the JUnit report has a case for each image, under its job, with its time and its failure', () => {
  const report = reportOf(
    [
      image('a/b:v1', {durationMs: 1234, job: 'nightly'}),
      failed('c/d:v2', 'Free some space.'),
      image('e/f:v3', {status: 'skipped'}),
    ],
    {source: 'x'},
  )
  expect(formatJunit(report)).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
    <testsuite name="mirror push host:5000/ns" tests="3" failures="1" errors="0" skipped="1" time="34.000" timestamp="2026-01-02T03:04:05.000Z">
    <testcase classname="nightly" name="gcr.io/a/b:v1 to host:5000/ns/a/b:v1" time="1.234"/>
    <testcase classname="push" name="gcr.io/c/d:v2 to host:5000/ns/c/d:v2" time="0.000"><failure type="MANIFEST_REJECTED" message="target: host:5000/ns/c/d:v2: the manifest was refused: no space">hint: Free some space.</failure></testcase>
    <testcase classname="push" name="gcr.io/e/f:v3 to host:5000/ns/e/f:v3" time="0.000"><skipped message="skipped"/></testcase>
    </testsuite>
    </testsuites>
    "
  `)
})

test('a run that came to nothing is one case with its error', () => {
  const report = failedReport(reportFigures, {code: 'UNREACHABLE', message: 'cannot reach host:5000'})
  expect(formatJunit(report)).toContain(
    '<testcase classname="push" name="the whole run" time="0.000"><error type="UNREACHABLE" message="cannot reach host:5000"></error></testcase>',
  )
  expect(formatJunit(report)).toContain('tests="1" failures="0" errors="1"')
})

test('markup and control characters in names do not break the XML', () => {
  const text = formatJunit(reportOf([image('a"><b>&\u0007\n')]))
  expect(text).toContain(String.raw`name="gcr.io/a&quot;&gt;&lt;b&gt;&amp;\x07\n to`)
})

test('the exit code stands in the report before the images', () => {
  expect(Object.keys(withExitCode(reportOf([]), 3)).slice(-2)).toEqual(['exitCode', 'images'])
})

const reportFigures = {
  command: 'push',
  source: 'bundle.tar.xz',
  target: 'host:5000/ns',
  startedAt: new Date(0),
  finishedAt: new Date(1000),
}
