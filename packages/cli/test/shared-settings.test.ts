import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it, test} from 'vitest'
import {commands} from '#src/commands/index.js'
import {jobSchema} from '#src/job/schema.js'
import type {ObjectSchema, Schema} from '#src/job/schema-type.js'
import {
  choiceSettings,
  namingSettings,
  registrySettings,
  type SharedSetting,
} from '#src/job/shared-settings.js'

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'job-file.md'), 'utf8')
const registry = jobSchema.properties?.['registries'] as ObjectSchema & {additionalProperties: ObjectSchema}
const job = jobSchema.$defs['job'] as ObjectSchema
const registryKeys = registry.additionalProperties.properties ?? {}
const jobKeys = job.properties ?? {}
const syncFlags: Readonly<Record<string, {description?: string; options?: readonly string[]}>> =
  commands['sync']?.flags ?? {}

const shared: readonly [string, SharedSetting][] = [
  ...Object.entries<SharedSetting>(registrySettings),
  ...Object.entries<SharedSetting>(namingSettings),
  ...Object.entries<SharedSetting>(choiceSettings),
]

/** The values or the range of a key, wherever its schema has them. */
function limitsOf(schema: Schema | undefined, {value}: SharedSetting): unknown {
  if (schema === undefined || !('type' in schema)) return undefined
  if (schema.type === 'boolean') return value === undefined ? undefined : ['true', 'false']
  if (schema.type === 'integer') return {from: schema.minimum, to: schema.maximum}
  return schema.type === 'string' ? schema.enum : undefined
}

describe.each(shared.filter(([, {only}]) => only === undefined))('%s', (name, setting) => {
  const key = name === 'platform' ? 'platforms' : name
  const schema = registryKeys[key] ?? jobKeys[key]
  const flag = syncFlags[name]

  it('is a flag of sync and a key of the job file', () => {
    expect([flag !== undefined, schema !== undefined]).toEqual([true, true])
  })

  it('takes the same values on the command line and in the file', () => {
    expect(limitsOf(schema, setting)).toEqual(setting.values ?? setting.range)
    expect(flag?.options ?? []).toEqual(setting.values ?? [])
  })
})

test('a flag of sync that is not a key of the job file is one of these, and every key without a flag as well', () => {
  const names = new Set(shared.map(([name]) => name))
  const keys = [...Object.keys(registryKeys), ...Object.keys(jobKeys)]
  expect(keys.filter((key) => !(key in syncFlags)).toSorted()).toEqual([
    'credential-helper',
    'immutable',
    'name',
    'namespace',
    'password-file',
    'platforms',
    'references',
    'referrers',
    'repositories',
    'service-account-key',
    'targets',
  ])
  const own = Object.keys(syncFlags).filter((flag) => !names.has(flag) && !flag.startsWith('source-'))
  expect(own.filter((flag) => keys.includes(flag))).toEqual(['images'])
})

test('docs/job-file.md names every key', () => {
  const keys = [...Object.keys(registryKeys), ...Object.keys(jobKeys)]
  const named = new Set([...page.matchAll(/[\w-]+/g)].map(([word]) => word))
  expect(keys.filter((key) => !named.has(key))).toEqual([])
})
