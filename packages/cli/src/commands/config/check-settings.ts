import {MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import {parseRuntime, type RuntimeChoice} from '../../cluster/explain/explain.js'
import {parseRegistryTarget} from '../../names/registry-target.js'
import type {RegistrySettings} from '../../job/job.js'
import {flagReader, refuseTwoReaders, type FlagReader, type FlagValues} from '../../settings/flag-values.js'
import {readNeededLists} from '../../settings/read-lists.js'
import {parseDuration} from '../../text/parse-quantity.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'

/** The source of the names of the images. */
export type CheckImages =
  | {readonly from: 'list'; readonly listed: readonly {readonly source: Reference}[]}
  | {readonly from: 'bundle'; readonly path: string}
  | {readonly from: 'pods'; readonly paths: readonly string[]}
  | {readonly from: 'report'; readonly path: string}

/** The settings of `config check`, read and checked. */
export interface CheckSettings {
  readonly images: CheckImages
  readonly files: string
  readonly as: RuntimeChoice | undefined
  /** `host[:port]`; undefined if nothing is to be asked. */
  readonly registry: string | undefined
  readonly registrySettings: RegistrySettings
  readonly json: boolean
  /** Milliseconds after which the command ends. */
  readonly timeout: number | undefined
}

/**
 * Reads and checks the flags of `config check`, and the lists they name.
 * @throws {MirrorError} USAGE, LIST_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readCheckSettings(flags: FlagValues): Promise<CheckSettings> {
  const read = flagReader(flags)
  const {text, list, on, parsed} = read
  refuseTwoReaders([
    [text('source') === '-', '--source -'],
    [text('report') === '-', '--report -'],
    ...list('images').map((path) => [path === '-', '--images -'] as const),
    ...list('pods').map((path) => [path === '-', '--pods -'] as const),
    [on('password-stdin'), '--password-stdin'],
  ])
  const as = text('as')
  const target = text('private-registry')
  return {
    images: await imagesIn(read),
    files: text('files') ?? '',
    as: as === undefined ? undefined : parseRuntime(as),
    registry: target === undefined ? undefined : parseRegistryTarget(target).registry,
    registrySettings: await readRegistryFlags(flags, 'target'),
    json: on('json'),
    timeout: parsed('timeout', parseDuration),
  }
}

async function imagesIn({text, list}: FlagReader): Promise<CheckImages> {
  const [source, report, lists, pods] = [text('source'), text('report'), list('images'), list('pods')]
  const given = [source, report, lists[0], pods[0]].filter((value) => value !== undefined)
  if (given.length !== 1) {
    throw new MirrorError('USAGE', 'give one of --images, --source, --pods and --report', {
      hint: 'To check the images of a cluster, give --pods with the output of "kubectl get pods -A -o json".',
    })
  }
  if (source !== undefined) return {from: 'bundle', path: source}
  if (report !== undefined) return {from: 'report', path: report}
  if (pods.length > 0) return {from: 'pods', paths: pods}
  return {from: 'list', listed: (await readNeededLists(lists)).images}
}
