import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js'

/** This file is built into `test/dist/kit`. */
const SCHEMA = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs', 'report.schema.json')

let validate: ValidateFunction | undefined

/**
 * Returns what is wrong with a report by `docs/report.schema.json`. A field that the schema does not describe counts: readers
 * ignore it, but here somebody has forgotten to describe it.
 */
export function faultsOfReport(report: unknown): readonly string[] {
  validate ??= new Ajv2020({allErrors: true, formats: {'date-time': isTime}}).compile(
    closed(JSON.parse(readFileSync(SCHEMA, 'utf8'))) as object,
  )
  validate(report)
  return (validate.errors ?? []).map(
    ({instancePath, message, params}) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
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
