import {spawn} from 'node:child_process'

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Content of its standard input. Absent: the input ends at once. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly cwd?: string
  /** Milliseconds until it counts as hung and is killed; default 240,000, far beyond what a busy machine needs. */
  readonly timeout?: number
}

export interface ChildResult {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface Child {
  readonly pid: number
  /** Output so far. */
  readonly stdout: string
  readonly stderr: string
  kill(signal: NodeJS.Signals): void
  /** @throws if it could not be started, or was killed after its timeout */
  readonly result: Promise<ChildResult>
}

/** Starts a program with exactly this environment. */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const started = Date.now()
  const child = spawn(command, args, {
    env: options.env ?? {},
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
  })
  const output = {stdout: '', stderr: ''}
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  void feed(child.stdin, options.stdin)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, options.timeout ?? 240_000)
  const result = new Promise<ChildResult>((resolve, reject) => {
    child.once('error', (cause) => {
      clearTimeout(timer)
      reject(new Error(`${command} could not be started: ${cause.message}`, {cause}))
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const ms = Date.now() - started
      if (isLate) {
        reject(
          new Error(
            `${command} ${args.join(' ')} was killed after ${ms} ms\n${output.stdout}\n${output.stderr}`,
          ),
        )
      } else resolve({...output, code: code ?? undefined, signal: signal ?? undefined, ms})
    })
  })
  // Only a caller that awaits the result gets the failure. An unawaited child must not end the test run.
  result.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    kill: (signal) => void child.kill(signal),
    result,
  }
}

export function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  return startChild(command, args, options).result
}

async function feed(stdin: NodeJS.WritableStream | null, content: ChildOptions['stdin']): Promise<void> {
  if (stdin === null || content === undefined) return
  // A program may end without having read everything: EPIPE says nothing about it.
  stdin.on('error', () => undefined)
  const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content
  for await (const chunk of chunks) {
    if (!stdin.writable) return
    if (!stdin.write(chunk)) await drained(stdin)
  }
  stdin.end()
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })
}
