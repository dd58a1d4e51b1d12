import {createRequire} from 'node:module'
import {mkdir} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {startChild, type Child, type ChildOptions, type ChildResult} from './child.js'
import {makeTempDir, type TempDir} from './temp-dir.js'

export interface RunMirrorOptions extends ChildOptions {
  /** Where HOME and the XDG directories are; absent: empty ones, for this run alone. */
  readonly home?: string
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

/** Starts the built program as a user would; `env` is added to the clean environment. */
export async function startMirror(args: readonly string[], options: RunMirrorOptions = {}): Promise<Child> {
  const own = options.home === undefined ? await makeTempDir() : undefined
  const home = options.home ?? own?.path ?? ''
  await mkdir(join(home, '.run'), {recursive: true, mode: 0o700})
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

export async function runMirror(
  args: readonly string[],
  options: RunMirrorOptions = {},
): Promise<ChildResult> {
  return (await startMirror(args, options)).result
}

async function resultThenRemove(child: Child, home: TempDir): Promise<ChildResult> {
  try {
    return await child.result
  } finally {
    await home.remove()
  }
}
