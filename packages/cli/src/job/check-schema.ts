import {isJsonObject, type JsonObject} from '@airgap-mirror/oci-client/model'
import {pathKey} from './expand-variables.js'
import {formats} from './formats.js'
import {nearestWord} from '../text/nearest-word.js'
import type {Path, Problems} from './problems.js'
import type {ObjectSchema, RootSchema, Schema, StringSchema} from './schema-type.js'

export interface CheckOptions {
  readonly schema: RootSchema
  readonly problems: Problems
  /** Paths whose texts are never shown. */
  readonly secret: ReadonlySet<string>
}

/** Holds plain values against the schema and notes everything that does not fit. */
export function checkSchema(value: unknown, options: CheckOptions): void {
  return check(value, [], {...options, part: options.schema})
}

interface Spot extends CheckOptions {
  readonly part: Schema
}

function check(value: unknown, path: Path, spot: Spot): void {
  const part = resolved(spot.part, spot.schema)
  if (spot.problems.has(path)) return
  if ('anyOf' in part) return checkAny(value, path, {...spot, part})
  if (!('type' in part)) return
  if (part.type === 'object' && isJsonObject(value)) return checkObject(value, path, {...spot, part})
  if (part.type === 'string' && typeof value === 'string') return checkText(value, path, {...spot, part})
  if (part.type === 'array' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) check(item, [...path, index], {...spot, part: part.items})
    if (value.length < (part.minItems ?? 0)) spot.problems.add(path, 'is empty')
  } else if (part.type === 'integer' && typeof value === 'number' && Number.isSafeInteger(value)) {
    const {minimum = -Infinity, maximum = Infinity} = part
    if (value < minimum || value > maximum)
      spot.problems.add(path, `is not from ${minimum} to ${maximum === Infinity ? 'any number' : maximum}`)
  } else if (!isOfType(value, part)) spot.problems.add(path, mismatch(value, part))
}

function checkObject(value: JsonObject, path: Path, spot: Spot & {readonly part: ObjectSchema}): void {
  const {part, problems} = spot
  const {properties = {}, additionalProperties, propertyNames} = part
  const known = Object.keys(properties)
  for (const [key, item] of Object.entries(value)) {
    const inside = [...path, key]
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (own !== undefined) check(item, inside, {...spot, part: own})
    else if (additionalProperties === false) problems.add(inside, unknownKey(key, known))
    else {
      if (propertyNames !== undefined) checkText(key, inside, {...spot, part: propertyNames})
      check(item, inside, {...spot, part: additionalProperties})
    }
  }
  for (const key of part.required ?? [])
    if (!Object.hasOwn(value, key)) problems.add([...path, key], 'is missing')
  for (const [key, needed] of Object.entries(part.dependentRequired ?? {})) {
    for (const other of needed) {
      if (Object.hasOwn(value, key) && !Object.hasOwn(value, other))
        problems.add([...path, other], `is missing: ${key} needs it`)
    }
  }
  if (Object.keys(value).length < (part.minProperties ?? 0)) problems.add(path, 'is empty')
}

function checkText(value: string, path: Path, spot: Spot & {readonly part: StringSchema}): void {
  const {part, problems, secret} = spot
  if (value.length < (part.minLength ?? 0)) return problems.add(path, 'is empty')
  if (part.enum !== undefined && !part.enum.includes(value))
    return problems.add(path, `is not one of: ${part.enum.join(', ')}`)
  if (part.format === undefined) return
  const {what, check: accept} = formats[part.format]
  if (!secret.has(pathKey(path))) problems.attempt(path, () => accept(value))
  else
    problems.attempt(path, () =>
      silently(() => accept(value), `is not ${what} once its variables are filled in`),
    )
}

/** The alternative of the value's own type is the one that was meant. */
function checkAny(
  value: unknown,
  path: Path,
  spot: Spot & {readonly part: {readonly anyOf: readonly Schema[]}},
): void {
  const alternatives = spot.part.anyOf.flatMap((one): readonly Schema[] => {
    const part = resolved(one, spot.schema)
    return 'anyOf' in part ? part.anyOf : [part]
  })
  const meant = alternatives.find((part) => 'type' in part && isOfType(value, part))
  if (meant !== undefined) return check(value, path, {...spot, part: meant})
  const names = [...new Set(alternatives.map((part) => ('type' in part ? NAMES[part.type] : '')))]
  spot.problems.add(path, `${given(value)}: it has to be ${names.join(' or ')}`)
}

function resolved(part: Schema, root: RootSchema): Schema {
  if (!('$ref' in part)) return part
  const found = root.$defs[part.$ref.replace('#/$defs/', '')]
  if (found === undefined) throw new Error(`the schema has no ${part.$ref}`)
  return found
}

type Typed = Extract<Schema, {type: string}>

function isOfType(value: unknown, {type}: Typed): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isJsonObject(value)
  if (type === 'integer') return Number.isSafeInteger(value)
  return typeof value === type
}

const NAMES: Readonly<Record<Typed['type'], string>> = {
  object: 'keys and values',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
}

function mismatch(value: unknown, {type}: Typed): string {
  return `${given(value)}: it has to be ${NAMES[type]}`
}

function given(value: unknown): string {
  if (value === null || value === undefined) return 'is empty'
  if (typeof value === 'number') return 'is a number unless it is in quotes'
  if (typeof value === 'boolean') return 'is true or false unless it is in quotes'
  if (Array.isArray(value)) return 'is a list'
  return typeof value === 'object' ? 'has keys and values' : 'is text'
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known)
  return `is not a known key${near === undefined ? '' : `: did you mean ${near}?`}`
}

function silently(run: () => unknown, words: string): void {
  try {
    run()
  } catch {
    // The reason quotes the value, and that came from a variable.
    throw new Error(words)
  }
}
