import {join} from 'node:path'
import {Ajv2020} from 'ajv/dist/2020.js'
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {checkSchema} from '#src/job/check-schema.js'
import {collectProblems, formatPath, type Path} from '#src/job/problems.js'
import {jobSchema} from '#src/job/schema.js'

const docs = join(import.meta.dirname, '..', '..', '..', 'docs')

it('docs/mirror.schema.json is what the program checks by', async () => {
  await expect(`${JSON.stringify(jobSchema, undefined, 2)}\n`).toMatchFileSnapshot(
    join(docs, 'mirror.schema.json'),
  )
})

/** Returns true if our own checker accepts the file. Formats do not count, because editors ignore them. */
function takes(value: unknown): boolean {
  const paths: Path[] = []
  const problems = collectProblems('file', () => 1)
  checkSchema(value, {
    schema: jobSchema,
    secret: new Set(),
    problems: {...problems, add: (path) => void paths.push(path), attempt: (_path, read) => read()},
  })
  return paths.map(formatPath).length === 0
}

describe('the checker and JSON Schema agree', () => {
  const validate = new Ajv2020({
    strict: true,
    strictTypes: false,
    validateFormats: false,
    allErrors: true,
  }).compile(jobSchema)
  const job = 'jobs: [{name: a'
  it.each([
    'jobs: [{name: a, references: [busybox]}]',
    'version: 1\njobs: [{name: a}]\ndefaults: {referrers: false, targets: a.example}',
    'jobs: []',
    'jobs: {}',
    '',
    'jobs: [{}]',
    'jobs: [{name: 1}]',
    'jobs: [{name: ""}]',
    'version: 2\njobs: [{name: a}]',
    'other: 1\njobs: [{name: a}]',
    'registries: {a.example: {}}\njobs: [{name: a}]',
    'registries: {a.example: {concurrency: 0}}\njobs: [{name: a}]',
    'registries: {a.example: {concurrency: 1.5}}\njobs: [{name: a}]',
    'registries: {a.example: {limit-rate: 5, retry-max-wait: 5m}}\njobs: [{name: a}]',
    'registries: {a.example: {limit-rate: true}}\njobs: [{name: a}]',
    'registries: {a.example: {client-key: k}}\njobs: [{name: a}]',
    'registries: {a.example: null}\njobs: [{name: a}]',
    `${job}, targets: {registry: a.example, map-host: keep}}]`,
    `${job}, targets: [{map-host: keep}]}]`,
    `${job}, targets: [a.example, {registry: b.example, rewrite: [a=b]}]}]`,
    `${job}, map: names.txt}]`,
    `${job}, map: {busybox: a/b}}]`,
    `${job}, map: {busybox: 1}}]`,
    `${job}, map-host: maybe}]`,
    `${job}, repositories: [a/b, {repository: c, tags: latest}]}]`,
    `${job}, repositories: [{repository: c, tags: []}]}]`,
    `${job}, repositories: [{repository: c, tags: {}}]}]`,
    `${job}, repositories: [{repository: c, tags: [a, {newest: 3, exclude: {glob: a}}]}]}]`,
    `${job}, repositories: [{repository: c, tags: {newest: 0}}]}]`,
    `${job}, repositories: [{repository: c, tags: {exclude: {}}}]}]`,
    `${job}, repositories: [{repository: c, tags: 1.10}]}]`,
    `${job}, repositories: a}]`,
    `${job}, immutable: true}]`,
    `${job}, immutable: [a, b]}]`,
    `${job}, immutable: 1}]`,
    `${job}, prune: yes}]`,
  ])('%s', (text) => {
    const value: unknown = parse(text)
    expect(takes(value)).toBe(validate(value))
  })
})
