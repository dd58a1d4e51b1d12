import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js'

/** This file is built into `test/dist/kit`. */
const DOCS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs')

/** The outputs for scripts that have a schema in `docs`. */
const NAMES = ['report', 'inspect', 'doctor', 'explain', 'check'] as const
type SchemaName = (typeof NAMES)[number]

const known = new Map<SchemaName, ValidateFunction>()

/** Returns what is wrong with a report by `docs/report.schema.json`, as {@link faultsOf} does. */
export function faultsOfReport(report: unknown): readonly string[] {
  return faultsOf('report', report)
}

/**
 * Returns what is wrong with the standard output of a run, if that is the JSON of a schema. Other output, such as a table or
 * a report that a test has cut off, has no faults.
 */
export function faultsOfOutput(stdout: string): readonly string[] {
  if (!stdout.startsWith('{')) return []
  let output: unknown
  try {
    output = JSON.parse(stdout)
  } catch {
    return []
  }
  const stated = (output as {readonly schema?: unknown}).schema
  const name = NAMES.find((one) => stated === `mirror.${one}/v1`)
  return name === undefined ? [] : faultsOf(name, output)
}

/**
 * Returns what is wrong with an output by its schema. A field that the schema does not describe counts: readers ignore it,
 * but here somebody has forgotten to describe it. So does a missing `$schema`.
 */
function faultsOf(name: SchemaName, output: unknown): readonly string[] {
  const validate = known.get(name) ?? validatorOf(name)
  known.set(name, validate)
  validate(output)
  return (validate.errors ?? []).map(
    ({instancePath, message, params}) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  )
}

function validatorOf(name: SchemaName): ValidateFunction {
  const schema = JSON.parse(readFileSync(join(DOCS, `${name}.schema.json`), 'utf8')) as {required: string[]}
  return new Ajv2020({allErrors: true, formats: {'date-time': isTime}}).compile(
    closed({...schema, required: ['$schema', ...schema.required]}) as object,
  )
}

/** Adds `additionalProperties: false` to every object that has properties. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const inside = Object.fromEntries(Object.entries(value).map(([key, below]) => [key, closed(below)]))
  return 'properties' in value && 'type' in value ? {...inside, additionalProperties: false} : inside
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text))
}
