import {writeAtomically} from '../files/write-atomically.js'
import {printable} from '../text/printable.js'
import {failureOf} from './report-error.js'
import {isFailed, type Report, type ReportError, type ReportImage} from './report.js'

/** `--junit FILE`. @throws {MirrorError} WRITE_FAILED */
export function writeJunit(path: string, report: Report): Promise<void> {
  return writeAtomically(path, formatJunit(report))
}

/**
 * The report as JUnit XML, which CI systems show: one test case for each image, under the name of its job or of the
 * command. A failure that belongs to no single image is a case of its own.
 */
export function formatJunit(report: Report): string {
  const {command, target, startedAt, finishedAt, images, error} = report
  const errors = report.errors ?? (error === undefined ? [] : [error])
  const cases = [
    ...images.map((image) => imageCase(image, command)),
    ...errors.map((one) => runCase(one, command)),
  ]
  const suite = {
    name: `mirror ${command} ${target}`.trimEnd(),
    tests: cases.length,
    failures: images.filter(isFailed).length,
    errors: errors.length,
    skipped: images.filter(isUntried).length,
    time: seconds(Date.parse(finishedAt) - Date.parse(startedAt)),
    timestamp: startedAt,
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `<testsuite${attributes(suite)}>`,
    ...cases,
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function imageCase(image: ReportImage, command: string): string {
  const {source, target, job, durationMs = 0} = image
  const head = `<testcase${attributes({
    classname: job ?? command,
    name: target === source ? source : `${source} to ${target}`,
    time: seconds(durationMs),
  })}`
  if (isFailed(image)) {
    const {error} = image
    const message = error === undefined ? image.status : failureOf(image, error).join(': ')
    return `${head}>${problem('failure', {code: error?.code ?? image.status, message, hint: error?.hint})}</testcase>`
  }
  return isUntried(image)
    ? `${head}><skipped${attributes({message: image.status})}/></testcase>`
    : `${head}/>`
}

function runCase(error: ReportError, command: string): string {
  return `<testcase${attributes({classname: command, name: 'the whole run', time: seconds(0)})}>${problem('error', error)}</testcase>`
}

function problem(
  element: 'failure' | 'error',
  {code, message, hint}: {readonly code: string; readonly message: string; readonly hint?: string},
): string {
  const text = hint === undefined ? '' : escaped(`hint: ${hint}`)
  return `<${element}${attributes({type: code, message})}>${text}</${element}>`
}

function isUntried({status}: ReportImage): boolean {
  return status === 'skipped' || status === 'cancelled'
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('')
}

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

/** Control characters, which XML cannot hold, are written as escapes. */
function escaped(text: string): string {
  return printable(text).replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
}
