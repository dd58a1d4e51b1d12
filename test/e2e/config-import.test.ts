import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {runMirror} from '@airgap-mirror/test/kit'

const golden = join(import.meta.dirname, '..', 'golden', 'config-import')

test('a file of another program becomes a job file on standard output, and what it lacks is told on standard error', async () => {
  const {code, stdout, stderr} = await runMirror(['config', 'import', join(golden, 'skopeo.yaml')])
  expect({code, stdout}).toEqual({code: 0, stdout: await readFile(join(golden, 'skopeo.job.yaml'), 'utf8')})
  const warnings = (await readFile(join(golden, 'skopeo.warnings'), 'utf8')).trimEnd().split('\n')
  expect(stderr).toBe(warnings.map((warning) => `warning: ${warning}\n`).join(''))
})

test('a file that is none of them is invalid input', async () => {
  const {code, stdout, stderr} = await runMirror(['config', 'import', join(golden, 'skopeo.warnings')])
  expect({code, stdout}).toEqual({code: 2, stdout: ''})
  expect(stderr).toMatch(/^error: .*skopeo\.warnings/)
  const missing = await runMirror(['config', 'import', 'nowhere.yaml', '--from', 'regsync'])
  expect(missing.code).toBe(2)
})
