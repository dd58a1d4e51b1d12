import {createHash} from 'node:crypto'
import {resolve} from 'node:path'
import {MirrorError, type Platform, defined} from '@airgap-mirror/oci-client/model'
import {parsePlatform} from '../../names/platforms.js'
import type {SparsePolicy} from '../../engine/sparse.js'
import type {Job, JobFile, JobNaming, JobTarget, RegistrySettings, WantedImage} from '../../job/job.js'
import {targetsOf} from '../../job/job-targets.js'
import {readSourceMirrors} from '../../job/read-source-mirrors.js'
import {parseShard, type Shard} from '../../job/shard.js'
import {readJobFile} from '../../job/read-job-file.js'
import type {SourceMirrors} from '../../job/source-mirrors.js'
import {parseDuration} from '../../text/parse-quantity.js'
import {defaults} from '../../settings/defaults.js'
import {environment} from '../../settings/environment.js'
import {flagReader, refuseTwoReaders, type FlagReader, type FlagValues} from '../../settings/flag-values.js'
import {readNamingFlags} from '../../settings/naming-settings.js'
import {readLists} from '../../settings/read-lists.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {choiceSettings} from '../../job/shared-settings.js'

/** A job, with the flags applied to it. */
export interface SyncJob extends Job {
  /** The images in its lists. */
  readonly listed: readonly WantedImage[]
  /** Bytes of images, as its lists know them, by reference. */
  readonly sizes: ReadonlyMap<string, number>
  /** Its lists say that there is nothing to do. Never if it prunes. */
  readonly nothingFailed: boolean
  /** The owner of its tags in the saved state. It is the same as long as the file and the job keep their names. */
  readonly owner: string
  readonly targets: readonly JobTarget[]
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly referrers: boolean
  readonly prune: boolean
  readonly pruneMax: number
}

/** The settings of a sync, read and checked. */
export interface SyncSettings {
  /** For the report. */
  readonly source: string
  readonly target: string
  readonly jobs: readonly SyncJob[]
  /** False if the only job stands for lists. */
  readonly isJobFile: boolean
  /** By host, as the job file says. */
  readonly registries: ReadonlyMap<string, RegistrySettings>
  /** The flags of the private registry, and of all source registries. */
  readonly targetFlags: RegistrySettings
  readonly sourceFlags: RegistrySettings
  readonly mirrors: SourceMirrors | undefined
  readonly failFast: boolean
  readonly force: boolean
  /** Milliseconds. */
  readonly wait: number
  /** A lock file to write. */
  readonly lock: string | undefined
  /** The part of the job that the run does; absent: all of it. */
  readonly shard: Shard | undefined
}

/**
 * Reads and checks the flags of a sync, and the files they name.
 * @throws {MirrorError} USAGE, CONFIG_INVALID, LIST_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function readSyncSettings(flags: FlagValues): Promise<SyncSettings> {
  const read = flagReader(flags)
  const {text, on, list, parsed} = read
  const lists = list('images')
  const config = text('config')
  if ((config === undefined) === (lists.length === 0)) {
    throw new MirrorError('USAGE', 'give either --images LIST or --config FILE', {
      hint: 'A list is a file of references such as k3s-images.txt; a job file may name lists.',
    })
  }
  const mirrorsFile = text('source-mirrors')
  const file = config === undefined ? listsAsJob(lists) : await readJobFile(config, environment())
  refuseTwoReaders([
    [config === '-', '--config -'],
    ...file.jobs.flatMap(({images}) => images.map((path) => [path === '-', '--images -'] as const)),
    [text('map') === '-', '--map -'],
    [mirrorsFile === '-', '--source-mirrors -'],
    [on('password-stdin'), '--password-stdin'],
    [on('source-password-stdin'), '--source-password-stdin'],
  ])
  const shard = shardIn(read)
  const privateRegistry = text('private-registry')
  const jobs = await Promise.all(
    file.jobs.map((job) =>
      withFlags(job, {
        read,
        privateRegistry,
        origin: (config === undefined ? listOrigin(lists) : nameOf(config)) + namingOrigin(read),
        isPiped: config === '-' || lists.includes('-'),
        isShard: shard !== undefined,
      }),
    ),
  )
  return {
    source: config ?? lists.join(', '),
    target: [...new Set(jobs.flatMap(({targets}) => targets.map((target) => target.text)))].join(', '),
    jobs,
    isJobFile: config !== undefined,
    registries: file.registries,
    targetFlags: await readRegistryFlags(flags, 'target'),
    sourceFlags: await readRegistryFlags(flags, 'source'),
    mirrors: mirrorsFile === undefined ? undefined : await readSourceMirrors(mirrorsFile),
    failFast: on('fail-fast'),
    force: on('force'),
    wait: parsed('wait', parseDuration) ?? 0,
    lock: text('lock'),
    shard,
  }
}

/** @throws {MirrorError} USAGE for what a part of the job cannot do */
function shardIn({text, on}: FlagReader): Shard | undefined {
  const shard = parseShard(text('shard') ?? '0/1')
  if (shard === undefined) return undefined
  if (on('prune')) {
    throw new MirrorError('USAGE', '--prune does not go with --shard', {
      hint: 'A shard does not know what has become of the other parts: prune in a run of the whole job.',
    })
  }
  if (text('lock') !== undefined) {
    throw new MirrorError('USAGE', '--lock does not go with --shard', {
      hint: 'Write the lock file in a run of the whole job, such as a dry run.',
    })
  }
  return shard
}

function listsAsJob(images: readonly string[]): JobFile {
  return {
    registries: new Map(),
    jobs: [
      {
        name: 'images',
        images,
        references: [],
        repositories: [],
        targets: [],
        naming: {},
        include: [],
        exclude: [],
      },
    ],
  }
}

/** Lists are known by their paths: a newer list under the same path is the same job. */
function listOrigin(lists: readonly string[]): string {
  return lists.map(nameOf).toSorted().join(' ')
}

/** `--map` takes the place of all that a job file says of single names. */
function overruled<Naming extends JobNaming>(own: Naming, flags: JobNaming): Naming {
  const {map: _names, ...rest} = own
  return flags.mapFile === undefined ? {...own, ...defined(flags)} : ({...rest, ...defined(flags)} as Naming)
}

/** Part of the owner: two runs whose naming flags differ may both want their tags kept. */
function namingOrigin({text, list}: FlagReader): string {
  const map = text('map')
  return [
    ...['map-host', 'max-depth'].map((flag) => [flag, text(flag)] as const),
    ...list('rewrite').map((rule) => ['rewrite', rule] as const),
    ['map', map === undefined ? undefined : nameOf(map)] as const,
  ]
    .flatMap(([flag, value]) => (value === undefined ? [] : [` --${flag} ${value}`]))
    .join('')
}

function nameOf(path: string): string {
  return path === '-' ? path : resolve(path)
}

interface FlagsForJob {
  readonly read: FlagReader
  readonly privateRegistry: string | undefined
  readonly origin: string
  /** Read from standard input. */
  readonly isPiped: boolean
  /** Only a part of the job is done. */
  readonly isShard: boolean
}

async function withFlags(
  job: Job,
  {read, privateRegistry, origin, isPiped, isShard}: FlagsForJob,
): Promise<SyncJob> {
  const {choice, list, on, whole} = read
  const naming = readNamingFlags(read)
  const platforms = list('platform').map(parsePlatform)
  const own = {...job, naming: overruled(job.naming, naming)}
  const targets = targetsOf(own, privateRegistry)
  const narrowed = list('include').length + list('exclude').length > 0 || isShard
  refusePrune(job, {read, narrowed, isPiped: isPiped || job.images.includes('-')})
  const chosen = platforms.length > 0 ? platforms : (job.platforms ?? [])
  const {images: listed, nothingFailed, sizes} = await readLists(job.images)
  // A part of the job says nothing of the rest.
  const prune = on('prune') || (job.prune === true && !narrowed)
  const withNaming = (target: JobTarget): JobTarget => ({...target, naming: overruled(target.naming, naming)})
  return {
    ...own,
    listed,
    sizes,
    nothingFailed: nothingFailed && !prune && job.references.length + job.repositories.length === 0,
    owner: ownerOf(job, origin),
    targets: targets.map(withNaming),
    include: list('include').length > 0 ? list('include') : job.include,
    exclude: list('exclude').length > 0 ? list('exclude') : job.exclude,
    platforms: chosen,
    // A choice of platforms gives the same index at every target, whatever its registry accepts.
    sparse:
      choice('sparse-index', choiceSettings['sparse-index'].values) ??
      job.sparse ??
      (chosen.length > 0 ? 'prune' : defaults.sparseIndex),
    referrers: on('no-referrers') ? false : (job.referrers ?? true),
    prune,
    pruneMax: whole('prune-max', choiceSettings['prune-max'].range) ?? job.pruneMax ?? defaults.pruneMax,
  }
}

/** Longer ones are kept by their hash: every tag of the job has it in the state. */
const OWNER_LENGTH = 200

function ownerOf({name}: Job, origin: string): string {
  const owner = `${origin}#${name}`
  return owner.length <= OWNER_LENGTH ? owner : `sha256:${createHash('sha256').update(owner).digest('hex')}`
}

/** @throws {MirrorError} USAGE if later runs could not tell which tags the job had made */
function refusePrune(
  job: Job,
  {
    read,
    narrowed,
    isPiped,
  }: {readonly read: FlagReader; readonly narrowed: boolean; readonly isPiped: boolean},
): void {
  const {on} = read
  if (!on('prune') && (job.prune !== true || narrowed)) return
  if (on('no-state')) {
    throw new MirrorError('USAGE', 'pruning needs saved state, which --no-state turns off', {
      hint: 'Leave out --no-state: only tags that the state records are deleted.',
    })
  }
  if (isPiped) {
    throw new MirrorError(
      'USAGE',
      'a list or job file from standard input cannot be pruned by, because it has no name',
      {
        hint: 'Give it as a file: tags belong to the file that made them.',
      },
    )
  }
  if (on('prune') && narrowed) {
    throw new MirrorError('USAGE', '--prune does not go with --include and --exclude', {
      hint: 'Write include and exclude into a job file: with the flags, the images that they leave out would be removed.',
    })
  }
}
