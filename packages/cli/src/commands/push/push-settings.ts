import type {LayerCompression, SignatureKey} from '@airgap-mirror/bundle'
import type {Platform} from '@airgap-mirror/oci-client/model'
import type {NamingRules} from '../../names/naming.js'
import type {Proof} from '../../engine/probe-below.js'
import type {Choice} from '../../engine/select.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import type {RegistrySettings} from '../../job/job.js'
import {
  readChoice,
  readLayerCompression,
  readParts,
  readProof,
  readScratch,
} from '../../settings/choice-settings.js'
import {defaults} from '../../settings/defaults.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {readNamingRules} from '../../settings/naming-settings.js'
import {readNeededLists} from '../../settings/read-lists.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {readVerifyKey} from '../../settings/signature-settings.js'

/** The settings of a push, read and checked. No code below this sees flags. */
export interface PushSettings {
  readonly source: string
  readonly target: string
  readonly rules: NamingRules
  readonly choice: Choice
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly proof: Proof
  readonly layerCompression: LayerCompression
  readonly scratch: {readonly directory: string} | 'never'
  /** Standard input is not kept on disk if it can be read in one pass. */
  readonly onePass: boolean
  readonly verifyKey: SignatureKey | undefined
  /** The flags of the private registry. */
  readonly registrySettings: RegistrySettings
  readonly concurrency: number
  readonly failFast: boolean
}

/**
 * Reads and checks the flags of a push, and the files they name.
 * @throws {MirrorError} USAGE, LIST_INVALID, KEY_INVALID, CERTIFICATE_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readPushSettings(flags: FlagValues): Promise<PushSettings> {
  const read = flagReader(flags)
  const {text, list, on} = read
  const source = text('source') ?? ''
  refuseTwoReaders([
    [source === '-', '--source -'],
    ...list('images').map((path) => [path === '-', '--images -'] as const),
    [text('map') === '-', '--map -'],
    [on('password-stdin'), '--password-stdin'],
  ])
  const target = text('private-registry') ?? ''
  const {images: listed} = await readNeededLists(list('images'))
  const rules = await readNamingRules(read, {target, listed})
  const registrySettings = await readRegistryFlags(flags, 'target')
  return {
    source,
    target,
    rules,
    choice: readChoice(read, list('images').length === 0 ? undefined : listed),
    ...readParts(read),
    proof: readProof(read),
    layerCompression: readLayerCompression(read),
    scratch: readScratch(read),
    // With a platform, configs are read for the plan, before their turn.
    onePass: text('scratch') === undefined && list('platform').length === 0,
    verifyKey: await readVerifyKey(read, source),
    registrySettings,
    concurrency: registrySettings.concurrency ?? defaults.concurrency,
    failFast: on('fail-fast'),
  }
}
