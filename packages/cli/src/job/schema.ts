import type {RawNaming, RawOptions} from './raw-job.js'
import type {FormatName, ObjectSchema, RootSchema, Schema, StringSchema} from './schema-type.js'
import {
  choiceSettings,
  keyText,
  namingSettings,
  registrySettings,
  type SharedSetting,
} from './shared-settings.js'

function text(description: string, format?: FormatName): StringSchema {
  return {
    type: 'string',
    description,
    minLength: 1,
    format,
  }
}

function toggle(description: string): Schema {
  return {type: 'boolean', description}
}

function choice(description: string, values: readonly string[]): Schema {
  return {
    type: 'string',
    description,
    enum: values,
  }
}

function whole(description: string, minimum: number, maximum: number): Schema {
  return {
    type: 'integer',
    description,
    minimum,
    maximum,
  }
}

/** A whole number in the range of its flag. */
function limited(
  setting: SharedSetting & {readonly range: {readonly from: number; readonly to: number}},
): Schema {
  return whole(keyText(setting), setting.range.from, setting.range.to)
}

/** One, or a list of them. */
function several(description: string, one: Schema): Schema {
  return {
    description,
    anyOf: [one, {type: 'array', items: one}],
  }
}

function quantity(description: string, format: FormatName): Schema {
  return {
    description,
    anyOf: [
      {type: 'integer', minimum: format === 'rate' ? 1 : 0},
      {type: 'string', minLength: 1, format},
    ],
  }
}

const registry: ObjectSchema = {
  type: 'object',
  description: 'Settings of a registry. A key has the name of the flag that does the same.',
  additionalProperties: false,
  dependentRequired: {'client-cert': ['client-key'], 'client-key': ['client-cert']},
  properties: Object.fromEntries(
    Object.entries<SharedSetting>(registrySettings)
      .filter(([, {only}]) => only !== 'flag')
      .map(([key, setting]) => [key, registryKey(setting)]),
  ),
}

/** The form of a key, by the value that its flag takes. */
function registryKey(setting: SharedSetting): Schema {
  const description = keyText(setting)
  const {value, range, format} = setting
  if (value === undefined || value === 'true|false') return toggle(description)
  if (range !== undefined) return whole(description, range.from, range.to)
  return format === undefined ? text(description) : quantity(description, format)
}

const naming: Readonly<Record<keyof RawNaming, Schema>> = {
  namespace: text(keyText(namingSettings.namespace), 'repository-path'),
  'map-host': choice(keyText(namingSettings['map-host']), namingSettings['map-host'].values),
  rewrite: several(keyText(namingSettings.rewrite), {type: 'string', format: 'rewrite'}),
  map: {
    description: keyText(namingSettings.map),
    anyOf: [
      {type: 'string', minLength: 1},
      {
        type: 'object',
        propertyNames: {type: 'string', format: 'reference'},
        additionalProperties: {type: 'string', format: 'map-target'},
      },
    ],
  },
  'max-depth': limited(namingSettings['max-depth']),
}

const target: Schema = {
  description: 'A target: HOST[:PORT][/NAMESPACE], or with naming rules of its own.',
  anyOf: [
    {type: 'string', format: 'registry-target'},
    {
      type: 'object',
      additionalProperties: false,
      required: ['registry'],
      properties: {registry: text('HOST[:PORT][/NAMESPACE]', 'registry-target'), ...naming},
    },
  ],
}

const glob: StringSchema = {type: 'string', minLength: 1, format: 'tag-glob'}
const regex: StringSchema = {type: 'string', minLength: 1, format: 'regex'}

/** Globs, or globs and expressions by name. */
function patterns(description: string): Schema {
  return {
    description: `${description} Globs (* and ?), or regex in RE2 syntax, which matches anywhere unless anchored.`,
    anyOf: [
      glob,
      {type: 'array', items: glob},
      {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {glob: several('Globs.', glob), regex: several('Expressions.', regex)},
      },
    ],
  }
}

const tagFilter: ObjectSchema = {
  type: 'object',
  description: 'Tags that pass every key given here, and the tags of exact in any case.',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    exact: several('Tags by name: chosen even if the other keys say otherwise.', {
      type: 'string',
      format: 'tag',
    }),
    glob: several('Tags that match one of these globs (* and ?).', glob),
    regex: several('Tags that one of these RE2 expressions matches anywhere.', regex),
    semver: text('Tags that are versions in this range, as in npm: >=1.30 <2 || 3.x', 'semver-range'),
    prereleases: toggle(
      'Count versions such as 1.2.3-rc.1 or 1.2.3-alpine. Default: true if glob or regex is given.',
    ),
    newest: whole('This number of the highest versions among the tags that are left.', 1, 100_000),
    exclude: patterns('What is left out.'),
  },
}

const tags: Schema = {
  description: 'The tags; without it all of them. A list is a union: tags by name, and filters.',
  anyOf: [
    {type: 'string', format: 'tag'},
    tagFilter,
    {type: 'array', minItems: 1, items: {anyOf: [{type: 'string', format: 'tag'}, tagFilter]}},
  ],
}

const repository: Schema = {
  description: 'A repository: all of its tags, or the chosen ones.',
  anyOf: [
    {type: 'string', format: 'repository'},
    {
      type: 'object',
      additionalProperties: false,
      required: ['repository'],
      properties: {
        repository: text('[HOST/]PATH, without tag or digest.', 'repository'),
        tags,
        digests: several('Images by digest.', {type: 'string', format: 'digest'}),
        target: text('Path at the target for all of them, instead of the naming rules.', 'repository-path'),
      },
    },
  ],
}

const options: Readonly<Record<keyof RawOptions, Schema>> = {
  targets: several('Private registries; each image is read once for all of them.', {$ref: '#/$defs/target'}),
  ...naming,
  include: several(keyText(choiceSettings.include), {type: 'string', minLength: 1}),
  exclude: several(keyText(choiceSettings.exclude), {type: 'string', minLength: 1}),
  platforms: several(keyText(choiceSettings.platform), {type: 'string', format: 'platform'}),
  'sparse-index': choice(keyText(choiceSettings['sparse-index']), choiceSettings['sparse-index'].values),
  referrers: toggle(keyText(choiceSettings.referrers)),
  immutable: {
    description: 'Tags that never change at the source: once seen they are not asked for again.',
    anyOf: [{type: 'boolean'}, patterns('These tags.')],
  },
  prune: toggle(keyText(choiceSettings.prune)),
  'prune-max': limited(choiceSettings['prune-max']),
}

/** The schema of `mirror.yaml`; `docs/mirror.schema.json` is made from it. */
export const jobSchema: RootSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mirror.yaml',
  description:
    'Jobs of mirror sync: images, the registries they come from, and the private registries they go to.',
  type: 'object',
  additionalProperties: false,
  required: ['jobs'],
  properties: {
    version: {
      type: 'integer',
      minimum: 1,
      maximum: 1,
      description: 'The version of this format; 1 if it is absent.',
    },
    registries: {
      type: 'object',
      description: 'Settings of registries, by HOST[:PORT] as image names have it (docker.io).',
      propertyNames: {type: 'string', format: 'registry'},
      additionalProperties: registry,
    },
    defaults: {
      type: 'object',
      description: 'Options of every job that does not set its own.',
      additionalProperties: false,
      properties: options,
    },
    jobs: {type: 'array', minItems: 1, items: {$ref: '#/$defs/job'}},
  },
  $defs: {
    target,
    job: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: text('Unique; in messages and reports.'),
        images: several('Files of references, such as k3s-images.txt, or - for standard input.', {
          type: 'string',
          minLength: 1,
        }),
        references: several('Images by name, as lines of such a file: SOURCE [TARGET].', {
          type: 'string',
          format: 'list-line',
        }),
        repositories: {type: 'array', items: repository},
        ...options,
      },
    },
  },
}
