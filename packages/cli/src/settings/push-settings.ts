import {tmpdir} from 'node:os'
import {resolve} from 'node:path'
import type {RegistryOptions} from '@airgap-mirror/oci-client'
import type {LayerCompression} from '@airgap-mirror/bundle'
import {limits, MirrorError, type Platform} from '@airgap-mirror/oci-client/model'
import {parseImageList, parseMapFile, type ListedImage} from '../engine/image-list.js'
import {parseRegistryTarget, referenceKey, type NamingRules} from '../engine/naming.js'
import {parseRewriteRule} from '../engine/rewrite.js'
import {parsePlatform, type Choice} from '../engine/select.js'
import type {SparsePolicy} from '../engine/sparse.js'
import type {ProgressMode} from '../render/renderer.js'
import {parseDuration, parseRate, parseSize} from '../text/parse-quantity.js'
import {environment, proxyFrom, stateHome} from './environment.js'
import {defaults} from './flags.js'
import {readTextFile} from './read-file.js'

/** The values of `pushFlags`, as oclif parses them. */
export interface PushFlags {
  readonly [flag: string]: string | boolean | readonly string[] | undefined
}

/** What a push does, read and checked: nothing below this knows of flags. */
export interface PushSettings {
  readonly source: string
  readonly target: string
  readonly rules: NamingRules
  readonly choice: Choice
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly layerCompression: LayerCompression
  readonly scratch: {readonly directory: string} | 'never'
  /** Undefined: nothing is remembered. */
  readonly state: string | undefined
  readonly registry: Omit<RegistryOptions, 'credentials'>
  readonly concurrency: number
  readonly failFast: boolean
  readonly dryRun: boolean
  readonly output: {
    readonly progress: ProgressMode
    readonly json: boolean
    readonly quiet: boolean
    readonly verbose: boolean
    readonly report: string | undefined
    readonly failed: string | undefined
  }
}

/**
 * Reads and checks the flags of a push, and the files they name.
 * @throws {MirrorError} USAGE, LIST_INVALID, CERTIFICATE_INVALID, LIMIT_EXCEEDED
 */
export const readPushSettings = async (flags: PushFlags): Promise<PushSettings> => {
  const value = (flag: string): string | undefined =>
    typeof flags[flag] === 'string' ? flags[flag] : undefined
  const values = (flag: string): readonly string[] =>
    (Array.isArray(flags[flag]) ? flags[flag] : []) as readonly string[]
  const source = value('source') ?? ''
  refuseTwoReaders([
    [source === '-', '--source -'],
    ...values('images').map((list): [boolean, string] => [list === '-', '--images -']),
    [value('map') === '-', '--map -'],
    [flags['password-stdin'] === true, '--password-stdin'],
  ])
  const target = value('private-registry') ?? ''
  const {registry, namespace} = parseRegistryTarget(target)
  const listed = await readLists(values('images'))
  const concurrency = whole('concurrency', value('concurrency') ?? String(defaults.concurrency), {
    from: 1,
    to: 256,
  })
  const maxDepth = value('max-depth')
  return {
    source,
    target,
    rules: {
      registry,
      namespace,
      mapHost: (value('map-host') ?? defaults.mapHost) as 'drop' | 'keep',
      rewrites: values('rewrite').map(parseRewriteRule),
      map: await readMap(value('map'), listed),
      maxDepth: maxDepth === undefined ? undefined : whole('max-depth', maxDepth, {from: 1, to: 64}),
    },
    choice: {
      ...(values('images').length === 0 ? {} : {listed}),
      include: values('include'),
      exclude: values('exclude'),
      referrers: flags['no-referrers'] !== true,
    },
    platforms: values('platform').map(parsePlatform),
    sparse: (value('sparse-index') ?? defaults.sparseIndex) as SparsePolicy,
    layerCompression: (value('layer-compression') ?? defaults.layerCompression) as LayerCompression,
    scratch: flags['no-scratch'] === true ? 'never' : {directory: value('scratch') ?? tmpdir()},
    state: flags['no-state'] === true ? undefined : resolve(value('state') || stateHome(environment())),
    registry: {...(await registrySettings(flags, value)), registry, concurrency},
    concurrency,
    failFast: flags['fail-fast'] === true,
    dryRun: flags['dry-run'] === true,
    output: {
      progress: (value('progress') ?? defaults.progress) as ProgressMode,
      json: flags['json'] === true,
      quiet: flags['quiet'] === true,
      verbose: flags['verbose'] === true,
      report: value('report'),
      failed: value('failed'),
    },
  }
}

const registrySettings = async (
  flags: PushFlags,
  value: (flag: string) => string | undefined,
): Promise<Omit<RegistryOptions, 'credentials' | 'registry'>> => {
  const read = async (path: string | undefined, flag: string): Promise<string | undefined> =>
    path === undefined
      ? undefined
      : readTextFile(path, {flag, limit: limits.certificateBytes, code: 'CERTIFICATE_INVALID'})
  const pem = (flag: string): Promise<string | undefined> => read(value(flag), `--${flag}`)
  // Node adds this file to the roots a program names only from 22.15 on; of one it cannot read it has warned already.
  const extra = await read(environment()['NODE_EXTRA_CA_CERTS'] || undefined, 'NODE_EXTRA_CA_CERTS').catch(
    () => undefined,
  )
  const [cacert, clientCert, clientKey] = await Promise.all([
    pem('cacert'),
    pem('client-cert'),
    pem('client-key'),
  ])
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new MirrorError('USAGE', '--client-cert and --client-key go together')
  }
  const chunkSize = value('chunk-size') ?? defaults.chunkSize
  const rate = value('limit-rate')
  return {
    side: 'target',
    plainHttp: flags['plain-http'] === true,
    tls: {
      ca: [cacert, extra].filter((text) => text !== undefined),
      ...(clientCert === undefined || clientKey === undefined ? {} : {clientCert, clientKey}),
      insecureSkipVerify: flags['insecure-skip-tls-verify'] === true,
    },
    proxy: proxyFrom(environment(), {proxy: value('proxy'), noProxy: value('no-proxy')}),
    chunkSize: chunkSize === 'auto' ? 'auto' : parsed('chunk-size', chunkSize, parseSize),
    ...(rate === undefined ? {} : {limitRate: parsed('limit-rate', rate, parseRate)}),
    retries: whole('retries', value('retries') ?? String(defaults.retries), {from: 0, to: 1000}),
    retryMaxWait: parsed('retry-max-wait', value('retry-max-wait') ?? defaults.retryMaxWait, parseDuration),
  }
}

const readLists = async (paths: readonly string[]): Promise<readonly ListedImage[]> => {
  const lists = await Promise.all(
    paths.map(async (path) =>
      parseImageList(
        await readTextFile(path, {flag: '--images', limit: limits.listBytes, code: 'LIST_INVALID'}),
        path === '-' ? 'standard input' : path,
      ),
    ),
  )
  return lists.flat()
}

/** The lines of `--map`, and beneath them the second columns of the lists. */
const readMap = async (
  path: string | undefined,
  listed: readonly ListedImage[],
): Promise<ReadonlyMap<string, string>> => {
  const map = new Map<string, string>()
  for (const {source, target} of listed) if (target !== undefined) map.set(referenceKey(source), target)
  if (path === undefined) return map
  const text = await readTextFile(path, {flag: '--map', limit: limits.listBytes, code: 'LIST_INVALID'})
  for (const [source, target] of parseMapFile(text, path, referenceKey)) map.set(source, target)
  return map
}

const refuseTwoReaders = (readers: readonly [boolean, string][]): void => {
  const [first, second] = readers.filter(([reads]) => reads).map(([, flag]) => flag)
  if (second !== undefined) throw new MirrorError('USAGE', `${first} and ${second} both read standard input`)
}

const whole = (flag: string, text: string, {from, to}: {from: number; to: number}): number => {
  const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= from && number <= to) return number
  throw new MirrorError(
    'USAGE',
    `--${flag} ${JSON.stringify(text)} is not a whole number from ${from} to ${to}`,
  )
}

const parsed = (flag: string, text: string, parse: (text: string) => number): number => {
  try {
    return parse(text)
  } catch (cause) {
    throw new MirrorError('USAGE', `--${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}
