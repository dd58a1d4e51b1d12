import {messageOf} from '@airgap-mirror/oci-client/model'
import {checkEntries, checkSearched} from '../containers/check-registries.js'
import {nameOnly} from '../containers/image-name.js'
import type {Policy} from '../containers/policy.js'
import type {Registries} from '../containers/registries.js'
import type {NodeFiles} from '../files/node-files.js'
import {editRegistries} from './edit-registries.js'
import {imageConfigOf, type ImageConfig} from './image-config.js'
import {imagePolicy, signedScopes} from './image-policy.js'
import {ofKind, type Manifest} from './manifests.js'
import {checkMirrorRules, mirrorRules} from './mirror-rules.js'
import {parseRelease, registrySources, releaseImage} from './payload.js'
import {checkScopes} from './scopes.js'

const TEMPLATE = '/etc/containers/registries.conf'
const SEARCH_FILE = '/etc/containers/registries.conf.d/01-image-searchRegistries.conf'
const TEMPLATE_SEARCH = ['registry.access.redhat.com', 'docker.io']

/** The configuration that the Machine Config Operator puts on every node. */
export interface RenderedCluster {
  readonly registries: Registries
  readonly policy: Policy
  readonly imageConfig: ImageConfig
  readonly assumed: readonly string[]
}

/**
 * Renders registries.conf and policy.json as the Machine Config Operator does from all mirror sets and the image configuration.
 * @throws {Error} worded as the operator does; then it renders nothing
 */
export function renderCluster(manifests: readonly Manifest[], files: NodeFiles): RenderedCluster {
  const assumed: string[] = []
  const found = imageConfigOf(manifests)
  if (found === undefined)
    assumed.push('image.config.openshift.io/cluster is not among the files: it is empty')
  const config: ImageConfig = found ?? {insecure: [], blocked: [], allowed: [], search: []}
  const rules = mirrorRules(manifests)
  const image = releaseImage(files, manifests)
  const release = parseRelease(image.text)
  const payload = nameOnly(release)
  if (image.isAssumed && config.blocked.length > 0) assumed.push(`the release image is one of ${payload}`)
  const sources = registrySources(config, {release, rules})
  const entries = inStep('could not update registries config with new changes', () => {
    checkScopes(
      config.insecure.map(({text}) => text),
      'insecure',
    )
    checkScopes(
      sources.blocked.map(({text}) => text),
      'blocked',
    )
    checkMirrorRules(rules)
    return editRegistries(rules, {insecure: config.insecure, blocked: sources.blocked})
  })
  const signed = signedScopes(manifests)
  const policy = inStep('could not update policy json with new changes', () =>
    imagePolicy({...sources, signed, payload}),
  )
  const warnings = [...sources.warnings, ...namespacedPolicies(manifests)]
  const checked = inStep(`loading registries configuration "${TEMPLATE}"`, () =>
    checkEntries(entries, {warnings}),
  )
  const search = config.search.map(({text}) => checkSearched(text))
  const registries: Registries = {
    entries: checked,
    search: search.length === 0 ? TEMPLATE_SEARCH : search,
    searchFile: search.length === 0 ? TEMPLATE : SEARCH_FILE,
    shortNameMode: 'disabled',
    aliases: new Map(),
    credentialHelpers: ['containers-auth.json'],
    description: `${TEMPLATE}, ${TEMPLATE}.d, /root/.config/containers/registries.conf.d`,
    warnings,
  }
  return {registries, policy, imageConfig: config, assumed}
}

function inStep<T>(step: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new Error(`${step}: ${messageOf(cause)}`, {cause})
  }
}

function namespacedPolicies(manifests: readonly Manifest[]): readonly string[] {
  return ofKind(manifests, 'ImagePolicy').map(
    ({name, namespace, path}) =>
      `${path}: ImagePolicy ${name} applies only to pods of the namespace ${namespace}, and is not looked at`,
  )
}
