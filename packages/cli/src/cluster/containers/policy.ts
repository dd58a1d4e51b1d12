import {isJsonObject, messageOf, type JsonObject} from '@airgap-mirror/oci-client/model'
import {parseDocument} from 'yaml'
import {nameOnly, type ImageName} from './image-name.js'

export interface Requirement {
  readonly type: string
}

type Scopes = ReadonlyMap<string, readonly Requirement[]>

/** A policy.json, as far as the name of an image decides. */
export interface Policy {
  readonly default: readonly Requirement[]
  readonly transports: ReadonlyMap<string, Scopes>
}

export interface Verdict {
  /** `signed`: accepted only with a signature that the policy names. */
  readonly result: 'accepted' | 'rejected' | 'signed'
  /** The section that decided: a scope, or `default`. */
  readonly scope: string
}

const REQUIREMENTS = new Set([
  'insecureAcceptAnything',
  'reject',
  'signedBy',
  'signedBaseLayer',
  'sigstoreSigned',
])
const SIGNED = new Set(['signedBy', 'signedBaseLayer', 'sigstoreSigned'])

/**
 * Reads policy.json as strictly as containers/image: an unknown key, a key given twice, or an empty list of requirements
 * makes the whole file invalid, and then nothing can be pulled.
 * @throws {Error} worded as containers/image does
 */
export function parsePolicy(text: string): Policy {
  const root = asObject(parseJson(text))
  refuseDuplicates(text)
  const unknown = Object.keys(root).find((key) => key !== 'default' && key !== 'transports')
  if (unknown !== undefined) throw new Error(`Unknown key ${JSON.stringify(unknown)}`)
  if (root['default'] === undefined || root['default'] === null) throw new Error('Default policy is missing')
  const transports = Object.entries(asObject(root['transports'] ?? {})).map(
    ([transport, scopes]) =>
      [
        transport,
        new Map(Object.entries(asObject(scopes ?? {})).map(([scope, list]) => [scope, requirementsIn(list)])),
      ] as const,
  )
  return {default: requirementsIn(root['default']), transports: new Map(transports)}
}

/** The requirements for an image of the `docker` transport, by the name in the pod: the longest scope, then the default. */
export function judge(policy: Policy, name: ImageName): Verdict {
  const scopes = policy.transports.get('docker')
  const scope = scopes === undefined ? undefined : scopesOf(name).find((candidate) => scopes.has(candidate))
  const requirements = (scope === undefined ? undefined : scopes?.get(scope)) ?? policy.default
  const types = requirements.map(({type}) => type)
  const result = types.includes('reject')
    ? 'rejected'
    : types.some((type) => SIGNED.has(type))
      ? 'signed'
      : 'accepted'
  return {result, scope: scope ?? 'default'}
}

/** The image itself, its repository and namespaces, its host, `*.` and the host's parent domains, then `""`. */
function scopesOf(name: ImageName): readonly string[] {
  const repository = nameOnly(name)
  const version = name.digest === undefined ? `:${name.tag ?? 'latest'}` : `@${name.digest}`
  const parts = repository.split('/')
  const parents = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  const labels = name.domain.replace(/:.*$/, '').split('.')
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)
  return [repository + version, ...parents, ...wildcards, '']
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(messageOf(error), {cause: error})
  }
}

/** JSON.parse keeps the last of two equal keys; YAML, which includes JSON, refuses them. */
function refuseDuplicates(text: string): void {
  const {errors} = parseDocument(text, {uniqueKeys: true})
  const duplicate = errors.find(({code}) => code === 'DUPLICATE_KEY')
  if (duplicate === undefined) return
  const key = /^"(?:[^"\\]|\\.)*"/.exec(text.slice(duplicate.pos[0]))?.[0] ?? '""'
  throw new Error(`Duplicate key ${key}`)
}

function asObject(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new Error(`JSON object expected, got ${Array.isArray(value) ? '[' : JSON.stringify(value)}`)
}

function requirementsIn(value: unknown): readonly Requirement[] {
  if (!Array.isArray(value)) throw new Error('a list of policy requirements is expected')
  if (value.length === 0) throw new Error('List of verification policy requirements must not be empty')
  return value.map((item: unknown) => {
    const {type, ...others} = asObject(item)
    if (typeof type !== 'string' || !REQUIREMENTS.has(type))
      throw new Error(`Unknown policy requirement type ${JSON.stringify(type ?? '')}`)
    const [extra] = SIGNED.has(type) ? [] : Object.keys(others)
    if (extra !== undefined) throw new Error(`Unknown key ${JSON.stringify(extra)}`)
    return {type}
  })
}
