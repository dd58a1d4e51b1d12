import {resolve} from 'node:path'
import {isRegistry, limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {
  ADMISSIONS,
  FALLBACKS,
  type Admission,
  type Fallback,
  type TargetVersion,
} from '../../cluster/emit/emission.js'
import {emitTargets, type EmitTarget} from '../../cluster/emit/targets.js'
import type {ListedImage} from '../../names/image-list.js'
import type {NamingRules} from '../../names/naming.js'
import type {RegistrySettings} from '../../job/job.js'
import {flagReader, refuseTwoReaders, type FlagReader, type FlagValues} from '../../settings/flag-values.js'
import {readNamingRules} from '../../settings/naming-settings.js'
import {readTextFile} from '../../files/read-file.js'
import {readNeededLists} from '../../settings/read-lists.js'
import {connectionOptions, type ConnectionOptions} from '../../settings/registry-options.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'

/** The source of the names of the images. */
type EmitImages =
  | {readonly from: 'report'; readonly path: string}
  | {readonly from: 'bundle'; readonly path: string}
  | {readonly from: 'list'; readonly listed: readonly ListedImage[]}

/** The settings of `config emit`, read and checked. */
export interface EmitSettings {
  readonly target: EmitTarget
  readonly version: TargetVersion | undefined
  readonly images: EmitImages | undefined
  readonly hosts: readonly string[]
  /** Undefined only with a report, which names the registry. */
  readonly rules: NamingRules | undefined
  readonly fallback: Fallback
  readonly admit: Admission | undefined
  readonly blocked: readonly string[]
  readonly searched: readonly string[]
  readonly signatureKey: string | undefined
  readonly isDeprecated: boolean
  readonly inlinesCredentials: boolean
  readonly registrySettings: RegistrySettings
  readonly connection: ConnectionOptions
  readonly into: string | undefined
  readonly output: string | undefined
  readonly overwrites: boolean
}

/**
 * Reads and checks the flags of `config emit`, and the files they name.
 * @throws {MirrorError} USAGE, LIST_INVALID, CERTIFICATE_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readEmitSettings(flags: FlagValues): Promise<EmitSettings> {
  const read = flagReader(flags)
  const {text, choice, list, on} = read
  refuseTwoReaders([
    [text('source') === '-', '--source -'],
    [text('report') === '-', '--report -'],
    ...list('images').map((path) => [path === '-', '--images -'] as const),
    [text('map') === '-', '--map -'],
    [on('password-stdin'), '--password-stdin'],
  ])
  const {target, version} = parseTarget(text('for') ?? '')
  const {images, listed} = await imagesIn(read)
  const registrySettings = await readRegistryFlags(flags, 'target')
  const into = text('into')
  if (into !== undefined && (target !== 'bmctl' || text('output') !== undefined)) {
    throw new MirrorError('USAGE', '--into goes with --for bmctl, and not with --output')
  }
  const signatureKey = text('signature-key')
  return {
    target,
    version,
    images,
    hosts: list('host').map(parseHost),
    rules: await rulesFor(read, listed),
    fallback: choice('fallback', FALLBACKS) ?? 'keep',
    admit: choice('admit', ADMISSIONS),
    blocked: list('block'),
    searched: list('search'),
    signatureKey:
      signatureKey === undefined
        ? undefined
        : await readTextFile(signatureKey, {
            flag: '--signature-key',
            limit: limits.certificateBytes,
            code: 'USAGE',
          }),
    isDeprecated: on('deprecated-mirrors'),
    inlinesCredentials: on('inline-credentials'),
    registrySettings: absolute(registrySettings),
    connection: await connectionOptions(registrySettings, 'target'),
    into,
    output: text('output') === undefined ? undefined : resolve(text('output') ?? ''),
    overwrites: on('overwrite'),
  }
}

function parseTarget(typed: string): {target: EmitTarget; version: TargetVersion | undefined} {
  const [, name, major, minor] = /^([^@]+)(?:@v?(\d{1,4})(?:\.(\d{1,4}))?(?:[.+-].*)?)?$/.exec(typed) ?? []
  const target = emitTargets.find((known) => known === name?.toLowerCase())
  if (target === undefined) {
    throw new MirrorError(
      'USAGE',
      `--for ${JSON.stringify(typed)} is not a known target with a version or without`,
      {
        hint: `Name one of: ${emitTargets.join(', ')}; with a version as in containerd@1.6.`,
      },
    )
  }
  const version = major === undefined ? undefined : {major: Number(major), minor: Number(minor ?? 0)}
  return {target, version}
}

async function imagesIn({
  text,
  list,
}: FlagReader): Promise<{images: EmitImages | undefined; listed: readonly ListedImage[]}> {
  const [report, source, lists] = [text('report'), text('source'), list('images')]
  const given = [report, source, lists[0]].filter((value) => value !== undefined)
  if (given.length > 1 || (given.length === 0 && list('host').length === 0)) {
    throw new MirrorError('USAGE', 'give one of --report, --source and --images, or --host', {
      hint: 'A report of the push is the surest: it has the target of each image.',
    })
  }
  if (report !== undefined) return {images: {from: 'report', path: report}, listed: []}
  if (source !== undefined) return {images: {from: 'bundle', path: source}, listed: []}
  if (lists.length === 0) return {images: undefined, listed: []}
  const {images: listed} = await readNeededLists(lists)
  return {images: {from: 'list', listed}, listed}
}

async function rulesFor(read: FlagReader, listed: readonly ListedImage[]): Promise<NamingRules | undefined> {
  const target = read.text('private-registry')
  if (target === undefined) {
    if (read.text('report') !== undefined) return undefined
    throw new MirrorError('USAGE', 'missing required flag --private-registry')
  }
  return readNamingRules(read, {target, listed})
}

function parseHost(host: string): string {
  if (host === '*') return host
  if (isRegistry(host))
    return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
  throw new MirrorError('USAGE', `--host ${JSON.stringify(host)} is not HOST[:PORT]`)
}

/** Other programs read these paths from other directories. */
function absolute(settings: RegistrySettings): RegistrySettings {
  const {cacert, dockerConfig} = settings
  return {
    ...settings,
    cacert: cacert === undefined ? undefined : resolve(cacert),
    dockerConfig: dockerConfig === undefined ? undefined : resolve(dockerConfig),
  }
}
