import {checkEntries} from '../containers/check-registries.js'
import {nameOnly, parseNormalizedName, type ImageName} from '../containers/image-name.js'
import {findEntry, pullSources} from '../containers/pull-sources.js'
import type {NodeFiles} from '../files/node-files.js'
import {textOf, valueAt} from '../yaml/yaml-node.js'
import {editRegistries, type Scope} from './edit-registries.js'
import type {ImageConfig} from './image-config.js'
import {ofKind, type Manifest} from './manifests.js'
import type {MirrorRule} from './mirror-rules.js'
import {isInScope} from './scopes.js'

const USUAL = `quay.io/openshift-release-dev/ocp-release@sha256:${'0'.repeat(64)}`

/** The release image of the cluster: of ClusterVersion or a file `release-image.txt`, or else the usual repository. */
export function releaseImage(
  files: NodeFiles,
  manifests: readonly Manifest[],
): {readonly text: string; readonly isAssumed: boolean} {
  const version = ofKind(manifests, 'ClusterVersion')[0]
  const desired = textOf(valueAt(version?.node, 'status', 'desired', 'image'))
  const path = files.paths.find((one) => one.endsWith('/release-image.txt'))
  const given = desired ?? (path === undefined ? undefined : files.text(path)?.trim())
  return given === undefined ? {text: USUAL, isAssumed: true} : {text: given, isAssumed: false}
}

/** @throws {Error} worded as the Machine Config Operator does */
export function parseRelease(text: string): ImageName {
  try {
    return parseNormalizedName(text)
  } catch (cause) {
    throw new Error('error parsing reference of release image', {cause})
  }
}

export interface RegistrySources {
  /** Blocked in registries.conf. */
  readonly blocked: readonly Scope[]
  /** Rejected in policy.json. */
  readonly rejected: readonly string[]
  /** Accepted in policy.json, everything else rejected unless `rejected` is set too. */
  readonly allowed: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Returns the registries that are really blocked and allowed. An entry that covers the release image is dropped without a mirror
 * that is not blocked; with one, its repository stays allowed.
 */
export function registrySources(
  config: ImageConfig,
  {release, rules}: {readonly release: ImageName; readonly rules: readonly MirrorRule[]},
): RegistrySources {
  const payload = nameOnly(release)
  const blocked: Scope[] = []
  const rejected: string[] = []
  const allowed: string[] = []
  const warnings: string[] = []
  for (const scope of config.blocked) {
    if (!isInScope(payload, scope.text)) {
      blocked.push(scope)
      rejected.push(scope.text)
      continue
    }
    const mirrored = hasUnblockedMirror(config, {release, rules})
    if (mirrored === undefined) {
      const reason = 'the operator fails over the mirrors of the release image'
      return {
        blocked: [],
        rejected: [],
        allowed: [],
        warnings: [`no registry is blocked or allowed because ${reason}`],
      }
    }
    if (!mirrored) {
      warnings.push(
        `${scope.at}: blockedRegistries "${scope.text}" is dropped without an error because it covers the release image ${payload}, which has no mirror that is not blocked`,
      )
      continue
    }
    blocked.push(scope)
    if (scope.text !== payload) rejected.push(scope.text)
    allowed.push(payload)
  }
  allowed.push(...config.allowed.map(({text}) => text))
  return {blocked, rejected, allowed, warnings}
}

/** Undefined if the registries.conf that the operator tries this with is not valid. */
function hasUnblockedMirror(
  {insecure, blocked}: ImageConfig,
  {release, rules}: {readonly release: ImageName; readonly rules: readonly MirrorRule[]},
): boolean | undefined {
  try {
    const digestRules = rules.filter(({pull}) => pull === 'digest-only')
    const entries = checkEntries(editRegistries(digestRules, {insecure, blocked}), {warnings: []})
    const entry = findEntry(entries, nameOnly(release))
    const sources = entry === undefined ? [] : pullSources(entry, release)
    return sources.some(({name}) => !blocked.some(({text}) => isInScope(nameOnly(name), text)))
  } catch {
    // the operator logs the error and goes on without the lists
    return undefined
  }
}
