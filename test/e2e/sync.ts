import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  addImage,
  makeImage,
  makeTempDir,
  runMirror,
  startMirror,
  type Child,
  type ChildResult,
  type RunMirrorOptions,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {
  startRegistry,
  type RegistryOptions,
  type RequestRecord,
  type TestRegistry,
} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {parseReport, type ReadReport} from './push.js'

export interface Synced extends ChildResult {
  /** @throws where standard output was no report */
  readonly report: ReadReport
}

export interface SyncRun extends RunMirrorOptions {
  /** Default `mirror`; false: the target is in the flags, or in a job file. */
  readonly into?: string | false
}

/** Two registries in this process, and a home that keeps its state from run to run. */
export interface SyncScene extends AsyncDisposable {
  /** The home of every run; also for lists and other files. */
  readonly directory: string
  readonly source: TestRegistry
  readonly target: TestRegistry
  /** Puts an image into the source, one of its own for each name. @returns its reference */
  add(name: string, image?: TestImage): Promise<string>
  /** @returns its path */
  write(name: string, text: string): Promise<string>
  /** A file of its own with these lines. */
  list(...lines: readonly string[]): Promise<string>
  /** `mirror sync --json` into `mirror/` of the target. */
  sync(flags: readonly string[], options?: SyncRun): Promise<Synced>
  /** The same as cron runs it: `--quiet`. */
  quietly(flags: readonly string[], options?: SyncRun): Promise<ChildResult>
  /** A process of its own. */
  start(flags: readonly string[], options?: SyncRun): Promise<Child>
  /** The digest under a name of the target, without its namespace. */
  at(name: string): string | undefined
  clearLogs(): void
}

export async function syncScene(
  options: {readonly source?: RegistryOptions; readonly target?: RegistryOptions} = {},
): Promise<SyncScene> {
  const home = await makeTempDir()
  const source = await startRegistry(options.source)
  const target = await startRegistry({strict: true, ...options.target})
  const plain = (registry: TestRegistry, flag: string): readonly string[] =>
    registry.url.startsWith('http:') ? [flag] : []
  const usual = argv`${plain(target, '--plain-http')} ${plain(source, '--source-plain-http')}`
  const args = (flags: readonly string[], into: SyncRun['into'] = 'mirror'): readonly string[] =>
    argv`sync ${into === false ? [] : ['--private-registry', `${target.host}/${into}`]} ${usual} ${flags}`
  const run = (flags: readonly string[], {into, ...own}: SyncRun = {}): Promise<ChildResult> =>
    runMirror(args(flags, into), {home: home.path, ...own})
  let files = 0
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(home.path, name)
    await writeFile(path, text)
    return path
  }
  return {
    directory: home.path,
    source,
    target,
    add: async (name, image) => {
      const {repository, tag} = partsOf(name)
      await addImage(source, image ?? (await makeImage({seed: name, layers: 1})), {repository, tag})
      return `${source.host}/${name}`
    },
    write,
    list: (...lines) => write(`list-${++files}.txt`, `${lines.join('\n')}\n`),
    sync: async (flags, own) => withReport(await run(['--json', ...flags], own)),
    quietly: (flags, own) => run(['--quiet', ...flags], own),
    start: (flags, {into, ...own} = {}) => startMirror(args(flags, into), {home: home.path, ...own}),
    at: (name) => {
      const {repository, tag} = partsOf(name)
      return target.manifest(`mirror/${repository}`, tag)?.digest
    },
    clearLogs: () => {
      source.clearLog()
      target.clearLog()
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), target.close()])
      await home.remove()
    },
  }
}

export function withReport(result: ChildResult): Synced {
  return {
    ...result,
    get report() {
      return parseReport(result)
    },
  }
}

/** `METHOD kind reference` of every request, sorted. */
export function exchanges({requests}: {readonly requests: readonly RequestRecord[]}): readonly string[] {
  return requests
    .map(({method, kind, path}) => `${method} ${kind} ${path.split('/').at(-1) ?? ''}`)
    .toSorted()
}

export function statuses({images}: ReadReport): readonly string[] {
  return images.map(({status}) => status)
}

function partsOf(name: string): {readonly repository: string; readonly tag: string} {
  const at = name.indexOf('@')
  const colon = at < 0 ? name.lastIndexOf(':') : at
  return {repository: name.slice(0, colon), tag: name.slice(colon + 1)}
}
