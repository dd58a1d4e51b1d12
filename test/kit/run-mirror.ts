import {createRequire} from 'node:module'
import {mkdir} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {startChild, type Child, type ChildOptions, type ChildResult} from './child.js'
import {canRunIn, runInProcess, type OnOutput} from './in-process.js'
import {faultsOfOutput} from './report-schema.js'
import {makeTempDir, type TempDir} from './temp-dir.js'

export interface RunMirrorOptions extends ChildOptions {
  /** The place of HOME and the XDG directories; absent: empty ones, for this run alone. */
  readonly home?: string
  /** The run names absolute paths only, so that it may share the process with runs in other working directories. */
  readonly anywhere?: boolean
  /** Called with output when it is written; a run that gets a process of its own calls it at the end. */
  readonly onOutput?: OnOutput
}

/** `bin/run.js` of the program. */
export function mirrorProgram(): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('@airgap-mirror/cli')), '..', 'bin', 'run.js')
}

/** An environment in which nothing of this machine's user or network is seen. */
export function cleanEnvironment(home: string): Readonly<Record<string, string>> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_RUNTIME_DIR: join(home, '.run'),
  }
}

/**
 * Runs the built program in this process, with an environment, streams and an exit code of its own; `env` is added to
 * the clean environment, and the working directory is the home unless `cwd` is given. A run that starts while another
 * is in another directory, or with a variable that Node itself reads, gets a process of its own. Cases about signals and
 * process ids need {@link spawnMirror}.
 * @throws if the output for scripts is not as its schema in `docs` says
 */
export async function runMirror(
  args: readonly string[],
  options: RunMirrorOptions = {},
): Promise<ChildResult> {
  const {home, own} = await homeFor(options.home)
  try {
    const cwd = options.anywhere === true ? undefined : (options.cwd ?? home)
    const program = mirrorProgram()
    const {main} = await loaded(program)
    const isTaken = cwd !== undefined && !canRunIn(cwd)
    const {stdin, timeout, onOutput} = options
    if (isTaken || Object.keys(options.env ?? {}).some((name) => FOR_NODE.test(name))) {
      const spawned = await spawnMirror(args, {...options, home})
      onOutput?.('stdout', Buffer.from(spawned.stdout))
      onOutput?.('stderr', Buffer.from(spawned.stderr))
      return spawned
    }
    const env = {...cleanEnvironment(home), ...options.env}
    const run = (): Promise<void> => main(args)
    const result = await runInProcess(run, {env, cwd, stdin, timeout, onOutput})
    const faults = faultsOfOutput(result.stdout)
    if (faults.length > 0) throw new Error(`the output is not as its schema says:\n${faults.join('\n')}`)
    return result
  } finally {
    await own?.remove()
  }
}

/** Starts the built program as a user would, in its home unless `cwd` is given; `env` is added to the clean environment. */
export async function startMirror(args: readonly string[], options: RunMirrorOptions = {}): Promise<Child> {
  const {home, own} = await homeFor(options.home)
  const child = startChild(process.execPath, [mirrorProgram(), ...args], {
    cwd: home,
    ...options,
    env: {...cleanEnvironment(home), ...options.env},
  })
  if (own === undefined) return child
  const result = resultThenRemove(child, own)
  result.catch(() => undefined)
  return {
    pid: child.pid,
    get stdout() {
      return child.stdout
    },
    get stderr() {
      return child.stderr
    },
    kill: (signal) => child.kill(signal),
    result,
  }
}

/** As {@link runMirror}, in a process of its own. */
export async function spawnMirror(
  args: readonly string[],
  options: RunMirrorOptions = {},
): Promise<ChildResult> {
  return (await startMirror(args, options)).result
}

/** Variables that Node reads itself, some only at its start. */
const FOR_NODE = /^(?:NODE_|UV_|TMPDIR$|TZ$)/

interface Program {
  readonly main: (argv: readonly string[]) => Promise<void>
}

function loaded(program: string): Promise<Program> {
  const bundle = join(dirname(program), '..', 'dist', 'bundle', 'main.js')
  return import(/* @vite-ignore */ pathToFileURL(bundle).href) as Promise<Program>
}

async function homeFor(
  given: string | undefined,
): Promise<{readonly home: string; readonly own: TempDir | undefined}> {
  const own = given === undefined ? await makeTempDir() : undefined
  const home = given ?? own?.path ?? ''
  await mkdir(join(home, '.run'), {recursive: true, mode: 0o700})
  return {home, own}
}

async function resultThenRemove(child: Child, home: TempDir): Promise<ChildResult> {
  try {
    return await child.result
  } finally {
    await home.remove()
  }
}
