/** A format for a string value; `formats.ts` has the checks. Editors do not know these names and ignore them. */
export type FormatName =
  | 'chunk-size'
  | 'duration'
  | 'digest'
  | 'list-line'
  | 'map-target'
  | 'platform'
  | 'rate'
  | 'reference'
  | 'regex'
  | 'registry'
  | 'registry-target'
  | 'repository'
  | 'repository-path'
  | 'rewrite'
  | 'semver-range'
  | 'tag'
  | 'tag-glob'

interface Described {
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
}

export interface ObjectSchema extends Described {
  readonly type: 'object'
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>
  /** Absent: no other keys. */
  readonly additionalProperties: false | Schema
  /** The schema of the keys. */
  readonly propertyNames?: StringSchema
  readonly minProperties?: number
}

export interface StringSchema extends Described {
  readonly type: 'string'
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly format?: FormatName
}

/** The part of JSON Schema 2020-12 that job files need; `check-schema.ts` knows all of it. */
export type Schema =
  | ObjectSchema
  | StringSchema
  | (Described & {readonly type: 'array'; readonly items: Schema; readonly minItems?: number})
  | (Described & {readonly type: 'integer'; readonly minimum?: number; readonly maximum?: number})
  | (Described & {readonly type: 'boolean'; readonly enum?: readonly boolean[]})
  /** Alternatives of different types: the value's own type says which one is meant. */
  | (Described & {readonly anyOf: readonly Schema[]})
  | (Described & {readonly $ref: string})

export interface RootSchema extends ObjectSchema {
  readonly $schema: string
  readonly $defs: Readonly<Record<string, Schema>>
}
