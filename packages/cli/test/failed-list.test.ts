import {array, assert, constantFrom, property, string, stringMatching, tuple, uniqueArray} from 'fast-check'
import {formatReference} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {parseImageList} from '#src/names/image-list.js'
import {formatFailed} from '#src/report/write-report.js'
import {digest, failed, reportOf} from './report-fixtures.js'

function failedOf(sources: readonly string[]): string {
  return formatFailed(
    reportOf(sources.map((source) => ({...failed('x'), source, sourceDigest: digest('a')}))),
  )
}

test('A name with line breaks in it chooses no image and no target', () => {
  const name = 'tool2:v1\ntool:v1 registry.example/prod/app:latest\n'
  const text = failedOf([name, 'gcr.io/a/b:v1'])
  expect(parseImageList(text, 'failed').map(({source}) => formatReference(source))).toEqual(['gcr.io/a/b:v1'])
  expect(text).toContain(
    `# not a reference: tool2:v1\\ntool:v1 registry.example/prod/app:latest\\n ${digest('a')}\n`,
  )
})

test.each([
  'tool:v1 registry.example/prod/app:latest',
  'gcr.io/a:v1\u2028gcr.io/b:v1',
  '# gcr.io/a:v1',
  '',
  'nginx',
])('The text %j is no image of the list of failures', (name) => {
  expect(parseImageList(failedOf([name]), 'failed')).toEqual([])
})

test('The list of failures reads back as exactly the references in it', () => {
  const reference = tuple(stringMatching(/^[a-z]{1,5}$/), stringMatching(/^[a-z0-9]{1,5}$/)).map(
    ([name, tag]) => `gcr.io/${name}:${tag}`,
  )
  const hostile = string({unit: constantFrom(...' \t\r\n#@:/.a1\u2028\u00a0,'.split(''))})
  assert(
    property(uniqueArray(reference), array(hostile), (references, others) => {
      const text = failedOf([...others, ...references])
      const read = parseImageList(text, 'failed').map(
        ({source, target}) => `${formatReference(source)} ${target ?? ''}`,
      )
      expect(read).toEqual(references.map((name) => `${name} `))
    }),
  )
})
