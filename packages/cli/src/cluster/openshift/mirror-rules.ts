import {textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'
import {ofKind, type Manifest} from './manifests.js'

export interface RuleMirror {
  readonly location: string
  readonly at: string
}

/** A source of an ICSP, IDMS or ITMS object with its mirrors. */
export interface MirrorRule {
  /** The kind of object it stands in, and its name. */
  readonly object: string
  readonly pull: 'digest-only' | 'tag-only'
  readonly source: string
  readonly mirrors: readonly RuleMirror[]
  readonly neverContactSource: boolean
  readonly at: string
}

const KINDS = [
  {kind: 'ImageDigestMirrorSet', list: 'imageDigestMirrors', pull: 'digest-only'},
  {kind: 'ImageContentSourcePolicy', list: 'repositoryDigestMirrors', pull: 'digest-only'},
  {kind: 'ImageTagMirrorSet', list: 'imageTagMirrors', pull: 'tag-only'},
] as const

/** The rules of all ImageDigestMirrorSet, ImageContentSourcePolicy and ImageTagMirrorSet objects. */
export function mirrorRules(manifests: readonly Manifest[]): readonly MirrorRule[] {
  return KINDS.flatMap(({kind, list, pull}) =>
    ofKind(manifests, kind).flatMap((manifest) => {
      const rules = valueAt(manifest.node, 'spec', list)
      if (rules?.kind !== 'list') return []
      return rules.items.map((rule) => ruleOf(rule, {manifest, pull}))
    }),
  )
}

function ruleOf(
  rule: YamlNode,
  {manifest: {kind, name, path}, pull}: {readonly manifest: Manifest; readonly pull: MirrorRule['pull']},
): MirrorRule {
  const mirrors = valueAt(rule, 'mirrors')
  return {
    object: `${kind} ${name}`,
    pull,
    source: textOf(valueAt(rule, 'source')) ?? '',
    mirrors:
      mirrors?.kind === 'list'
        ? mirrors.items.map((item) => ({location: textOf(item) ?? '', at: `${path}:${item.line}`}))
        : [],
    // ImageContentSourcePolicy has no such field
    neverContactSource:
      kind !== 'ImageContentSourcePolicy' &&
      textOf(valueAt(rule, 'mirrorSourcePolicy')) === 'NeverContactSource',
    at: `${path}:${rule.line}`,
  }
}

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const HOST = `${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?`
const PATH = '(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*'
const MIRROR = new RegExp(`^${HOST}${PATH}$`)
const SOURCE = new RegExp(`^(?:\\*(?:\\.${LABEL})+|${HOST}${PATH})$`)
const MAX_LOCATION = 1024

/**
 * Checks what the Machine Config Operator checks before it renders anything.
 * @throws {Error} worded as the operator does
 */
export function checkMirrorRules(rules: readonly MirrorRule[]): void {
  const policies = new Map<string, boolean>()
  for (const {source, mirrors, neverContactSource} of rules) {
    if (!matches(SOURCE, source)) throw new Error(`invalid format for source ${JSON.stringify(source)}`)
    if ((policies.get(source) ?? neverContactSource) !== neverContactSource)
      throw new Error(
        `conflicting mirrorSourcePolicy is set for the same source ${JSON.stringify(source)} in imagedigestmirrorsets, imagetagmirrorsets, or imagecontentsourcepolicies`,
      )
    policies.set(source, neverContactSource)
    for (const {location} of mirrors) {
      if (!matches(MIRROR, location)) throw new Error(`invalid format for mirror ${JSON.stringify(location)}`)
      if (neverContactSource && location === source)
        throw new Error(
          `cannot set mirrorSourcePolicy: NeverContactSource if the source ${JSON.stringify(source)} is one of the mirrors`,
        )
    }
  }
}

function matches(pattern: RegExp, text: string): boolean {
  return text.length <= MAX_LOCATION && pattern.test(text)
}
