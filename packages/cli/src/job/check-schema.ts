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
  return check(value, [], {...options, at: options.schema})
}

interface Spot extends CheckOptions {
  readonly at: Schema
}

function check(value: unknown, path: Path, spot: Spot): void {
  const at = resolved(spot.at, spot.schema)
  if (spot.problems.has(path)) return
  if ('anyOf' in at) return checkAny(value, path, {...spot, at})
  if (!('type' in at)) return
  if (!isOfType(value, at)) return spot.problems.add(path, mismatch(value, at))
  switch (at.type) {
    case 'object':
      return checkObject(value as Readonly<Record<string, unknown>>, path, {...spot, at})
    case 'array':
      for (const [index, item] of (value as readonly unknown[]).entries())
        check(item, [...path, index], {...spot, at: at.items})
      if ((value as readonly unknown[]).length < (at.minItems ?? 0)) spot.problems.add(path, 'is empty')
      return
    case 'string':
      return checkText(value as string, path, {...spot, at})
    case 'integer': {
      const {minimum = -Infinity, maximum = Infinity} = at
      if ((value as number) < minimum || (value as number) > maximum)
        spot.problems.add(path, `is not from ${minimum} to ${maximum === Infinity ? 'any number' : maximum}`)
      return
    }
    case 'boolean':
  }
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  path: Path,
  spot: Spot & {readonly at: ObjectSchema},
): void {
  const {at, problems} = spot
  const {properties = {}, additionalProperties, propertyNames} = at
  const known = Object.keys(properties)
  for (const [key, item] of Object.entries(value)) {
    const inside = [...path, key]
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (own !== undefined) check(item, inside, {...spot, at: own})
    else if (additionalProperties === false) problems.add(inside, unknownKey(key, known))
    else {
      if (propertyNames !== undefined) checkText(key, inside, {...spot, at: propertyNames})
      check(item, inside, {...spot, at: additionalProperties})
    }
  }
  for (const key of at.required ?? [])
    if (!Object.hasOwn(value, key)) problems.add([...path, key], 'is missing')
  for (const [key, needed] of Object.entries(at.dependentRequired ?? {})) {
    for (const other of needed) {
      if (Object.hasOwn(value, key) && !Object.hasOwn(value, other))
        problems.add([...path, other], `is missing: ${key} needs it`)
    }
  }
  if (Object.keys(value).length < (at.minProperties ?? 0)) problems.add(path, 'is empty')
}

function checkText(value: string, path: Path, spot: Spot & {readonly at: StringSchema}): void {
  const {at, problems, secret} = spot
  if (value.length < (at.minLength ?? 0)) return problems.add(path, 'is empty')
  if (at.enum !== undefined && !at.enum.includes(value))
    return problems.add(path, `is not one of: ${at.enum.join(', ')}`)
  if (at.format === undefined) return
  const {what, check: accept} = formats[at.format]
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
  spot: Spot & {readonly at: {readonly anyOf: readonly Schema[]}},
): void {
  const alternatives = spot.at.anyOf.flatMap((one): readonly Schema[] => {
    const at = resolved(one, spot.schema)
    return 'anyOf' in at ? at.anyOf : [at]
  })
  const meant = alternatives.find((at) => 'type' in at && isOfType(value, at))
  if (meant !== undefined) return check(value, path, {...spot, at: meant})
  const names = [...new Set(alternatives.map((at) => ('type' in at ? NAMES[at.type] : '')))]
  spot.problems.add(path, `${given(value)}: it has to be ${names.join(' or ')}`)
}

function resolved(at: Schema, root: RootSchema): Schema {
  if (!('$ref' in at)) return at
  const found = root.$defs[at.$ref.replace('#/$defs/', '')]
  if (found === undefined) throw new Error(`the schema has no ${at.$ref}`)
  return found
}

type Typed = Extract<Schema, {type: string}>

function isOfType(value: unknown, {type}: Typed): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
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
  return `is not a key that is known here${near === undefined ? '' : `: did you mean ${near}?`}`
}

function silently(run: () => unknown, words: string): void {
  try {
    run()
  } catch {
    // The reason quotes the value, and that came from a variable.
    throw new Error(words)
  }
}
