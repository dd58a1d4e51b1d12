import type {SignatureKey} from '@airgap-mirror/bundle'
import {MirrorError, type Platform, type Reference} from '@airgap-mirror/oci-client/model'
import type {Choice} from '../../engine/select.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import type {RegistrySettings} from '../../job/job.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import type {NamingRules} from '../../names/naming.js'
import {readChoice, readParts, readScratch} from '../../settings/choice-settings.js'
import {defaults} from '../../settings/defaults.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {readNamingRules} from '../../settings/naming-settings.js'
import {readLists} from '../../settings/read-lists.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {readVerifyKey} from '../../settings/signature-settings.js'

/** A private registry to hold images against. */
export interface VerifyTarget {
  readonly rules: NamingRules
  readonly settings: RegistrySettings
}

/** The settings of a verification, read and checked. */
export interface VerifySettings {
  readonly source: string
  readonly target: string
  /** A bundle, or images where they are. */
  readonly from:
    | {readonly bundle: string}
    | {
        readonly references: readonly Reference[]
        readonly settings: RegistrySettings
        readonly mirrors: SourceMirrors | undefined
      }
  /** Absent: the bundle itself is checked. */
  readonly against: VerifyTarget | undefined
  readonly choice: Choice
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly scratch: {readonly directory: string} | 'never'
  readonly verifyKey: SignatureKey | undefined
  readonly deep: boolean
  readonly concurrency: number
}

/**
 * Reads and checks the flags of a verification, and the files they name.
 * @throws {MirrorError} USAGE, LIST_INVALID, KEY_INVALID, CERTIFICATE_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readVerifySettings(flags: FlagValues): Promise<VerifySettings> {
  const read = flagReader(flags)
  const {text, list, on} = read
  const bundle = text('source')
  const target = text('private-registry')
  const lists = list('images')
  const mirrorsFile = text('source-mirrors')
  if (bundle === undefined && (lists.length === 0 || target === undefined)) {
    throw new MirrorError('USAGE', 'there is nothing to verify', {
      hint: 'Give --source BUNDLE, or --images LIST with --private-registry HOST[:PORT][/NAMESPACE], or all three.',
    })
  }
  refuseTwoReaders([
    [bundle === '-', '--source -'],
    ...lists.map((path) => [path === '-', '--images -'] as const),
    [text('map') === '-', '--map -'],
    [on('password-stdin'), '--password-stdin'],
    [on('source-password-stdin'), '--source-password-stdin'],
  ])
  const listed = await readLists(lists)
  const registrySettings = await readRegistryFlags(flags, 'target')
  return {
    source: bundle ?? lists.join(', '),
    target: target ?? '',
    from:
      bundle === undefined
        ? {
            references: listed.map(({source}) => source),
            settings: await readRegistryFlags(flags, 'source'),
            mirrors: mirrorsFile === undefined ? undefined : await readSourceMirrors(mirrorsFile),
          }
        : {bundle},
    against:
      target === undefined
        ? undefined
        : {settings: registrySettings, rules: await readNamingRules(read, {target, listed})},
    choice: readChoice(read, bundle === undefined || lists.length === 0 ? undefined : listed),
    ...readParts(read),
    scratch: readScratch(read),
    verifyKey: await readVerifyKey(read, bundle),
    deep: on('deep'),
    concurrency: registrySettings.concurrency ?? defaults.concurrency,
  }
}
