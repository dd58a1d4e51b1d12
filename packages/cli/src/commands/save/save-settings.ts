import {tmpdir} from 'node:os'
import {parsePrivateKey, type SignatureKey} from '@airgap-mirror/bundle'
import {limits, MirrorError, type Platform} from '@airgap-mirror/oci-client/model'
import type {SparsePolicy} from '../../engine/sparse.js'
import {readTextFile} from '../../files/read-file.js'
import type {Job, JobFile, RegistrySettings} from '../../job/job.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import {readJobFile} from '../../job/read-job-file.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import {parsePlatform} from '../../names/platforms.js'
import type {ListedJob} from '../../run/list-images.js'
import {choiceSettings} from '../../job/shared-settings.js'
import {defaults} from '../../settings/defaults.js'
import {environment} from '../../settings/environment.js'
import {flagReader, refuseTwoReaders, type FlagReader, type FlagValues} from '../../settings/flag-values.js'
import {readLists} from '../../settings/read-lists.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {parseSize} from '../../text/parse-quantity.js'
import {parseSaveOutput, type SaveOutput} from './save-output.js'

/** The settings of a save, read and checked. No code below this sees flags. */
export interface SaveSettings {
  /** For the report. */
  readonly source: string
  readonly target: string
  readonly jobs: readonly ListedJob[]
  readonly output: SaveOutput
  readonly maxSize: number | undefined
  readonly since: readonly string[]
  readonly lock: string | undefined
  readonly signKey: SignatureKey | undefined
  readonly dockerCompatible: boolean
  /** The most blocks packed at once. */
  readonly threads: number | undefined
  /** The directory that collects the blobs of a bundle for standard output. */
  readonly scratch: string
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly referrers: boolean
  readonly registries: ReadonlyMap<string, RegistrySettings>
  readonly sourceFlags: RegistrySettings
  readonly mirrors: SourceMirrors | undefined
  readonly concurrency: number
  readonly failFast: boolean
}

/** FAT32 holds files of up to 4 GiB less one byte, and users who write 4G mean that. */
const FAT32_LIMIT = 2 ** 32
const LEAST_VOLUME = 64 * 1024
/** As of `--concurrency`; a run with so many takes 18 GB. */
const MOST_THREADS = 256

/**
 * Reads and checks the flags of a save, and the files they name.
 * @throws {MirrorError} USAGE, CONFIG_INVALID, LIST_INVALID, KEY_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readSaveSettings(flags: FlagValues): Promise<SaveSettings> {
  const read = flagReader(flags)
  const {text, choice, list, on} = read
  const output = parseSaveOutput(text('output') ?? '')
  const config = text('config')
  const lists = list('images')
  if ((config === undefined) === (lists.length === 0)) {
    throw new MirrorError('USAGE', 'give either --images LIST or --config FILE', {
      hint: 'A list is a file of references such as k3s-images.txt; a job file may name lists.',
    })
  }
  const mirrors = text('source-mirrors')
  const file = config === undefined ? listsAsJob(lists) : await readJobFile(config, environment())
  refuseTwoReaders([
    [config === '-', '--config -'],
    ...file.jobs.flatMap(({images}) => images.map((path) => [path === '-', '--images -'] as const)),
    [mirrors === '-', '--source-mirrors -'],
    ...list('since').map((path) => [path === '-', '--since -'] as const),
    [on('source-password-stdin'), '--source-password-stdin'],
  ])
  refuseForOutput(read, output)
  const platforms = list('platform').map(parsePlatform)
  const sourceFlags = await readRegistryFlags(flags, 'source')
  return {
    source: config ?? lists.join(', '),
    target: output.path,
    jobs: await Promise.all(file.jobs.map((job) => withFlags(job, read))),
    output,
    maxSize: readMaxSize(read),
    since: list('since'),
    lock: text('lock'),
    signKey: await readSignKey(text('sign-key')),
    dockerCompatible: on('docker-compatible'),
    threads: read.whole('threads', {from: 1, to: MOST_THREADS}),
    scratch: text('scratch') ?? tmpdir(),
    platforms: platforms.length > 0 ? platforms : platformsOf(file),
    // A registry would say whether it takes an index with gaps. A file takes all, and the far side may not.
    sparse: sparsePolicy(choice('sparse-index', choiceSettings['sparse-index'].values)),
    referrers: !on('no-referrers') && file.jobs.some(({referrers}) => referrers !== false),
    registries: file.registries,
    sourceFlags,
    mirrors: mirrors === undefined ? undefined : await readSourceMirrors(mirrors),
    concurrency: sourceFlags.concurrency ?? defaults.concurrency,
    failFast: on('fail-fast'),
  }
}

function sparsePolicy(flag: SparsePolicy | undefined): SparsePolicy {
  return flag === undefined || flag === 'auto' ? 'prune' : flag
}

function listsAsJob(images: readonly string[]): JobFile {
  const job = {name: 'images', images, references: [], repositories: [], targets: [], naming: {}}
  return {registries: new Map(), jobs: [{...job, include: [], exclude: []}]}
}

async function withFlags(job: Job, {list}: FlagReader): Promise<ListedJob> {
  const {images: listed, nothingFailed} = await readLists(job.images)
  return {
    ...job,
    listed,
    nothingFailed: nothingFailed && job.references.length + job.repositories.length === 0,
    include: list('include').length > 0 ? list('include') : job.include,
    exclude: list('exclude').length > 0 ? list('exclude') : job.exclude,
  }
}

/** All jobs go into one bundle, so a choice of platforms holds only if they agree on it. */
function platformsOf({jobs}: JobFile): readonly Platform[] {
  const texts = new Set(jobs.map(({platforms = []}) => JSON.stringify(platforms)))
  if (texts.size <= 1) return jobs[0]?.platforms ?? []
  throw new MirrorError('CONFIG_INVALID', 'the jobs choose different platforms, and go into one bundle', {
    side: 'source',
    hint: 'Choose with --platform, or write job files of their own.',
  })
}

function refuseForOutput({text, on}: FlagReader, {kind}: SaveOutput): void {
  if (kind === 'file') return
  if (kind === 'stream' && process.stdout.isTTY) {
    throw new MirrorError('USAGE', '--output - would write a bundle to the terminal', {
      hint: 'Redirect standard output to a file or a pipe, or name a file, such as bundle.tar.xz.',
    })
  }
  const refused = kind === 'stream' ? ['max-size', 'sign-key'] : ['max-size']
  const flag = refused.find((name) => text(name) !== undefined)
  const what = kind === 'stream' ? 'standard output' : 'a directory'
  if (flag !== undefined) {
    throw new MirrorError('USAGE', `--${flag} does not go with ${what} as --output`, {
      hint: 'Name a file, such as bundle.tar.xz.',
    })
  }
  if (kind === 'stream' && on('json')) {
    throw new MirrorError('USAGE', '--json and --output - both write standard output', {
      hint: 'Write the report with --report FILE.',
    })
  }
}

function readMaxSize({parsed}: FlagReader): number | undefined {
  const size = parsed('max-size', parseSize)
  if (size === undefined) return undefined
  if (size < LEAST_VOLUME) {
    throw new MirrorError('USAGE', `--max-size has ${size} bytes: it takes 64K or more`)
  }
  return size === FAT32_LIMIT ? size - 1 : size
}

async function readSignKey(path: string | undefined): Promise<SignatureKey | undefined> {
  if (path === undefined) return undefined
  const pem = await readTextFile(path, {
    flag: '--sign-key',
    limit: limits.certificateBytes,
    code: 'KEY_INVALID',
  })
  return parsePrivateKey(pem, path)
}
