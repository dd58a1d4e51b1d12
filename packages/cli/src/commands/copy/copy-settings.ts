import {tmpdir} from 'node:os'
import type {LayerCompression} from '@airgap-mirror/bundle'
import type {Platform} from '@airgap-mirror/oci-client/model'
import {parsePlatform} from '../../names/platforms.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import type {RegistrySettings} from '../../job/job.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import {defaults} from '../../settings/defaults.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {parsePlace, type Place} from './place.js'

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
  const {text, list, on} = read
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
    platforms: list('platform').map(parsePlatform),
    sparse: (text('sparse-index') ?? defaults.sparseIndex) as SparsePolicy,
    referrers: !on('no-referrers'),
    // docker load unpacks layers, so compression would be wasted.
    layerCompression:
      to.transport === 'docker-archive'
        ? 'none'
        : ((text('layer-compression') ?? defaults.layerCompression) as LayerCompression),
    scratch: on('no-scratch') ? 'never' : {directory: text('scratch') ?? tmpdir()},
    sourceFlags: from.transport === 'docker' ? await readRegistryFlags(flags, 'source') : {},
    targetFlags,
    mirrors:
      from.transport === 'docker' && mirrors !== undefined ? await readSourceMirrors(mirrors) : undefined,
    concurrency: read.whole('concurrency', {from: 1, to: 256}) ?? defaults.concurrency,
  }
}
