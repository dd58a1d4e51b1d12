import {AsyncLocalStorage} from 'node:async_hooks'
import {Readable, Writable} from 'node:stream'
import {format} from 'node:util'
import type {ChildOptions, ChildResult} from './child.js'

/** The members of `process` that a run of the program has for itself. */
interface Surroundings {
  readonly env: Record<string, string | undefined>
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly exit: (code?: number) => never
  exitCode: number | undefined
}

/** Called with output when it is written. */
export type OnOutput = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void

type InProcessOptions = {readonly [Name in keyof ChildOptions]: ChildOptions[Name] | undefined} & {
  readonly onOutput: OnOutput | undefined
}

const running = new AsyncLocalStorage<Surroundings>()

/**
 * Runs a program's main function in this process as if it had one of its own: environment, standard streams, exit code.
 * Concurrent runs do not see each other. Signals and the process id are the caller's; a case about them needs a real
 * process. The working directory is the whole process's: see {@link canRunIn}; undefined stands for any.
 * @throws if it does not end before its timeout
 */
export async function runInProcess(
  main: () => Promise<unknown>,
  {cwd, ...options}: InProcessOptions,
): Promise<ChildResult> {
  shareProcess()
  const started = Date.now()
  const out = captured((bytes) => options.onOutput?.('stdout', bytes))
  const err = captured((bytes) => options.onOutput?.('stderr', bytes))
  const own: Surroundings = {
    env: {...options.env},
    stdin: Readable.from(chunksOf(options.stdin), {objectMode: false}),
    stdout: out.stream,
    stderr: err.stream,
    exit: (code) => {
      throw new Error(`process.exit(${code}) in a run within a process`)
    },
    exitCode: undefined,
  }
  const output = (): string => `${out.text()}\n${err.text()}`
  const leave = enter(cwd)
  try {
    await running.run(own, () => inTime(main(), options.timeout ?? 240_000, output))
  } finally {
    leave()
  }
  const {exitCode: code = 0} = own
  return {code, signal: undefined, stdout: out.text(), stderr: err.text(), ms: Date.now() - started}
}

let occupied: {readonly cwd: string; readonly before: string; runs: number} | undefined

/** Returns false while other runs of this process are in another working directory. */
export function canRunIn(cwd: string): boolean {
  return occupied === undefined || occupied.cwd === cwd
}

/** Makes a directory the working directory until its last run has left it. @returns a call to leave */
function enter(cwd: string | undefined): () => void {
  if (cwd === undefined) return () => undefined
  if (occupied === undefined) {
    occupied = {cwd, before: process.cwd(), runs: 0}
    process.chdir(cwd)
  }
  const here = occupied
  here.runs += 1
  return () => {
    here.runs -= 1
    if (here.runs > 0) return
    process.chdir(here.before)
    occupied = undefined
  }
}

let isShared = false

/** Lets code read its own run's members of `process`, wherever a run's asynchronous calls lead. */
function shareProcess(): void {
  if (isShared) return
  isShared = true
  shareConsole()
  const real = globalThis.process
  // Each run adds a listener for each signal, so many are expected.
  real.setMaxListeners(0)
  const isOwn = (key: string | symbol): key is keyof Surroundings => OWN.has(key)
  globalThis.process = new Proxy(real, {
    get: (target, key) => {
      const own = isOwn(key) ? running.getStore() : undefined
      return own === undefined ? Reflect.get(target, key, target) : Reflect.get(own, key)
    },
    set: (target, key, value) => {
      const own = isOwn(key) ? running.getStore() : undefined
      return own === undefined ? Reflect.set(target, key, value, target) : Reflect.set(own, key, value)
    },
  })
}

/** The test runner has a console of its own, and the program prints help through it. */
function shareConsole(): void {
  for (const [name, stream] of [
    ['log', 'stdout'],
    ['error', 'stderr'],
    ['warn', 'stderr'],
  ] as const) {
    const print = console[name].bind(console)
    console[name] = (...values: readonly unknown[]) => {
      const own = running.getStore()
      if (own === undefined) print(...values)
      else own[stream].write(`${format(...values)}\n`)
    }
  }
}

const OWN: ReadonlySet<string | symbol> = new Set(['env', 'stdin', 'stdout', 'stderr', 'exit', 'exitCode'])

function captured(written: (bytes: Uint8Array) => void): {
  readonly stream: Writable
  readonly text: () => string
} {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk)
      written(chunk)
      done()
    },
  })
  return {stream, text: () => Buffer.concat(chunks).toString('utf8')}
}

function chunksOf(content: ChildOptions['stdin']): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (content === undefined) return []
  return typeof content === 'string' || content instanceof Uint8Array ? [Buffer.from(content)] : content
}

async function inTime(work: Promise<unknown>, limit: number, output: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${limit} ms\n${output()}`)), limit)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
