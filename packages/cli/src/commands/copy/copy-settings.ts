import type {LayerCompression} from '@airgap-mirror/bundle'
import type {Platform} from '@airgap-mirror/oci-client/model'
import type {Proof} from '../../engine/probe-below.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import type {RegistrySettings} from '../../job/job.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import {readLayerCompression, readParts, readProof, readScratch} from '../../settings/choice-settings.js'
import {defaults} from '../../settings/defaults.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {parsePlace, type Place} from './place.js'
import {registrySettings} from '../../job/shared-settings.js'

/** The settings of a copy, read and checked. No code below this sees flags. */
export interface CopySettings {
  /** For the report. */
  readonly source: string
  readonly target: string
  readonly from: Place
  readonly to: Place
  readonly layerCompression: LayerCompression
  readonly scratch: {readonly directory: string} | 'never'
  readonly concurrency: number
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly proof: Proof
  readonly referrers: boolean
  /** The registry flags of either side. */
  readonly sourceFlags: RegistrySettings
  readonly targetFlags: RegistrySettings
  readonly mirrors: SourceMirrors | undefined
}

/**
 * Reads and checks the arguments and flags of a copy, and the files they name.
 * @throws {MirrorError} USAGE, NAME_INVALID, CONFIG_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readCopySettings(
  {source: src, destination: dst}: {readonly source: string; readonly destination: string},
  flags: FlagValues,
): Promise<CopySettings> {
  const read = flagReader(flags)
  const {text, on} = read
  const from = parsePlace(src, 'source')
  const to = parsePlace(dst, 'target')
  const mirrors = text('source-mirrors')
  refuseTwoReaders([
    [from.transport !== 'docker' && from.path === '-', 'SRC'],
    [on('password-stdin'), '--password-stdin'],
    [on('source-password-stdin'), '--source-password-stdin'],
    [mirrors === '-', '--source-mirrors -'],
  ])
  const targetFlags = to.transport === 'docker' ? await readRegistryFlags(flags, 'target') : {}
  return {
    source: from.text,
    target: to.text,
    from,
    to,
    ...readParts(read),
    proof: readProof(read),
    referrers: !on('no-referrers'),
    // docker load unpacks layers, so compression would be wasted.
    layerCompression: to.transport === 'docker-archive' ? 'none' : readLayerCompression(read),
    scratch: readScratch(read),
    sourceFlags: from.transport === 'docker' ? await readRegistryFlags(flags, 'source') : {},
    targetFlags,
    mirrors:
      from.transport === 'docker' && mirrors !== undefined ? await readSourceMirrors(mirrors) : undefined,
    concurrency: read.whole('concurrency', registrySettings.concurrency.range) ?? defaults.concurrency,
  }
}
