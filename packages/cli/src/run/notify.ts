import {spawn, type ChildProcess} from 'node:child_process'
import {messageOf} from '@airgap-mirror/oci-client/model'
import type {ExitCode} from '../report/exit-code.js'
import type {Report} from '../report/report.js'
import {formatReport} from '../report/write-report.js'
import {childEnvironment} from '../settings/environment.js'
import {formatDuration} from '../text/format-quantity.js'

export interface NotifyOptions {
  readonly report: Report
  readonly exitCode: ExitCode
  /** Milliseconds until it is killed with all it has started; default 60,000. */
  readonly timeout?: number
  /** Ends it early. */
  readonly signal?: AbortSignal
}

const TIMEOUT = 60_000

/**
 * `--notify-command`: runs it by the shell, with the report on its standard input, and MIRROR_EXIT_CODE and MIRROR_OUTCOME in
 * its environment. Its output goes to standard error, since standard output is for `--json`. Never rejects: a failure
 * here must not hide the result of the run.
 * @returns the failure, for a warning; without the command, which may hold the token of a web hook
 */
export async function runNotifyCommand(
  command: string,
  {report, exitCode, timeout = TIMEOUT, signal}: NotifyOptions,
): Promise<string | undefined> {
  const isWindows = process.platform === 'win32'
  if (signal?.aborted) return 'the notify command was not run, since this run was stopped'
  let child: ChildProcess
  try {
    // By a variable: everybody sees arguments, and the command may hold the token of a web hook.
    child = spawn(isWindows ? command : 'eval "$MIRROR_NOTIFY_COMMAND"', {
      shell: true,
      // A group of its own, that ends as one.
      detached: !isWindows,
      stdio: ['pipe', process.stderr.fd, process.stderr.fd],
      env: {
        ...childEnvironment(),
        MIRROR_NOTIFY_COMMAND: command,
        MIRROR_EXIT_CODE: String(exitCode),
        MIRROR_OUTCOME: report.outcome,
      },
    })
  } catch (error) {
    return notStarted(error)
  }
  let ended: string | undefined
  const end = (why: string): void => {
    ended = why
    killAll(child)
  }
  const timer = setTimeout(() => end(`was killed after ${formatDuration(timeout)}`), timeout)
  const stop = (): void => end('was killed, since this run was stopped')
  signal?.addEventListener('abort', stop, {once: true})
  try {
    // The command need not read its input, so closing that early is no failure.
    child.stdin?.on('error', () => undefined).end(formatReport(report))
    const failure = await failureOf(child)
    return ended === undefined ? failure : `the notify command ${ended}`
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    child.stdin?.destroy()
  }
}

/** Resolves when the shell has ended. Does not wait for processes it left in the background. */
function failureOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(notStarted(error)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined)
      else if (signal === null) resolve(`the notify command ended with exit code ${code}`)
      else resolve(`the notify command was ended by ${signal}`)
    })
  })
}

function killAll(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill()
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}

function notStarted(error: unknown): string {
  return `the notify command could not be started: ${messageOf(error)}`
}
