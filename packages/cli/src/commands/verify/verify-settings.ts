import type {SignatureKey} from '@airgap-mirror/bundle'
import {
  formatReference,
  limits,
  MirrorError,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {nothingLeft, type Choice} from '../../engine/select.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import {withoutDigest} from '../../engine/verify/verify-locked.js'
import {readTextFile} from '../../files/read-file.js'
import type {RegistrySettings} from '../../job/job.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import {parseCrictlImages, type NodeImage, type NodeImages} from '../../names/crictl-images.js'
import {globMatcher} from '../../names/globs.js'
import type {ListedImage} from '../../names/image-list.js'
import type {NamingRules} from '../../names/naming.js'
import {readChoice, readParts, readScratch} from '../../settings/choice-settings.js'
import {defaults} from '../../settings/defaults.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {readNamingRules} from '../../settings/naming-settings.js'
import {readNeededLists} from '../../settings/read-lists.js'
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
  /** A bundle, digests that are known, or images where they are. */
  readonly from:
    | {readonly bundle: string}
    | {readonly locked: readonly NodeImage[]}
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
  /** Standard input is not kept on disk if it can be read in one pass. */
  readonly onePass: boolean
  readonly verifyKey: SignatureKey | undefined
  readonly deep: boolean
  readonly concurrency: number
  /** Images that are left out. */
  readonly warnings: readonly string[]
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
  const nodes = list('crictl')
  if (bundle === undefined && ((lists.length === 0 && nodes.length === 0) || target === undefined)) {
    throw new MirrorError('USAGE', 'there is nothing to verify', {
      hint: 'Give --source BUNDLE, or --images LIST with --private-registry HOST[:PORT][/NAMESPACE], or all three.',
    })
  }
  if (nodes.length > 0 && (bundle !== undefined || lists.length > 0)) {
    throw new MirrorError('USAGE', '--crictl goes with neither --source nor --images')
  }
  refuseTwoReaders([
    [bundle === '-', '--source -'],
    ...lists.map((path) => [path === '-', '--images -'] as const),
    ...nodes.map((path) => [path === '-', '--crictl -'] as const),
    [text('map') === '-', '--map -'],
    [on('password-stdin'), '--password-stdin'],
    [on('source-password-stdin'), '--source-password-stdin'],
  ])
  const {images: listed, isLock} = await readNeededLists(lists)
  const registrySettings = await readRegistryFlags(flags, 'target')
  const found = await Promise.all(nodes.map(readNode))
  return {
    source: bundle ?? [...lists, ...nodes].join(', '),
    target: target ?? '',
    from:
      bundle === undefined
        ? await imagesFrom(flags, {
            nodes: nodes.length === 0 ? undefined : found.flatMap(({images}) => images),
            listed,
            isLock,
          })
        : {bundle},
    against:
      target === undefined
        ? undefined
        : {settings: registrySettings, rules: await readNamingRules(read, {target, listed})},
    choice: readChoice(read, bundle === undefined || lists.length === 0 ? undefined : listed),
    ...readParts(read),
    scratch: readScratch(read),
    // With a platform, configs are read for the plan, before their turn.
    onePass: text('scratch') === undefined && list('platform').length === 0,
    verifyKey: await readVerifyKey(read, bundle),
    deep: on('deep'),
    concurrency: registrySettings.concurrency ?? defaults.concurrency,
    warnings: found.flatMap(({unproven}, at) => unprovenIn(nodes[at] ?? '', unproven)),
  }
}

function lockedIn(listed: readonly ListedImage[]): readonly NodeImage[] {
  const bare = listed.filter(({source}) => source.digest === undefined)
  if (bare.length > 0) {
    const lines = bare.map(({source, line}) => `line ${line}: ${formatReference(source)}`)
    throw new MirrorError('LIST_INVALID', ['the lock file lacks digests', ...lines].join('; '), {
      hint: 'Let a run write the lock file again.',
    })
  }
  return listed.flatMap(({source: reference, parts}) =>
    reference.digest === undefined ? [] : [{reference, digests: [reference.digest], parts}],
  )
}

/** Lock files and nodes say which digests there should be, so no source registry is asked. */
async function imagesFrom(
  flags: FlagValues,
  {
    nodes,
    listed,
    isLock,
  }: {
    readonly nodes: readonly NodeImage[] | undefined
    readonly listed: readonly ListedImage[]
    readonly isLock: boolean
  },
): Promise<VerifySettings['from']> {
  const {text, list} = flagReader(flags)
  const isMatch = globMatcher({include: list('include'), exclude: list('exclude')})
  const isChosen = (reference: Reference): boolean => isMatch(formatReference(withoutDigest(reference)))
  const chosen = listed.map(({source}) => source).filter(isChosen)
  const locked = nodes ?? (isLock ? lockedIn(listed) : undefined)
  const kept = locked?.filter(({reference}) => isChosen(reference))
  const include = list('include')
  if (include.length > 0 && (kept ?? chosen).length === 0)
    throw nothingLeft(`matches ${include.join(' or ')}`, 'include')
  if (kept !== undefined) return {locked: kept}
  const mirrors = text('source-mirrors')
  return {
    references: chosen,
    settings: await readRegistryFlags(flags, 'source'),
    mirrors: mirrors === undefined ? undefined : await readSourceMirrors(mirrors),
  }
}

const SHOWN = 5

function unprovenIn(path: string, images: readonly string[]): readonly string[] {
  if (images.length === 0) return []
  const shown = images.slice(0, SHOWN).join(', ')
  const more = images.length > SHOWN ? ` and ${images.length - SHOWN} more` : ''
  return [`not compared, since ${path} has no repo digest of them: ${shown}${more}`]
}

async function readNode(path: string): Promise<NodeImages> {
  const limit = limits.podListBytes
  const text = await readTextFile(path, {flag: '--crictl', limit, code: 'LIST_INVALID'})
  return parseCrictlImages(text, path === '-' ? 'standard input' : path)
}
