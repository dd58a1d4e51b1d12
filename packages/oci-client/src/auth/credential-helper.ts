import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process'
import {whenAborted} from '../http/when-aborted.js'
import {cancelled, codeOf, isJsonObject, limits, MirrorError} from '../model/index.js'
import type {Credential} from './credential.js'

/** Options of a call of a credential helper, which is a program of its own. */
export interface HelperOptions {
  /** The helper's whole environment. The helper is searched for in this PATH. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /**
   * Milliseconds until the helper is killed; default 30,000. Cloud helpers wait for metadata servers that an air gap
   * lacks.
   */
  readonly timeout?: number
}

const DEFAULT_TIMEOUT = 30_000
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** The words of docker-credential-helpers; other helpers begin with the same words. */
const NOT_FOUND = /credentials not found/i

/**
 * Runs `docker-credential-NAME get` with the server on its standard input.
 * @returns undefined if the helper has no credential for the server
 * @throws {MirrorError} CREDENTIALS_INVALID if it is missing, fails, hangs or prints other output, LIMIT_EXCEEDED,
 * CANCELLED
 */
export async function runCredentialHelper(
  name: string,
  server: string,
  options: HelperOptions,
): Promise<Credential | undefined> {
  const program = programOf(name)
  const {code, stdout, stderr} = await run([program, 'get'], {...options, input: server, server})
  if (code === 0) return parseOutput(stdout, program)
  if (NOT_FOUND.test(stdout) || NOT_FOUND.test(stderr)) return undefined
  // The helper's output is not repeated, because it may quote a secret.
  const why = code === undefined ? 'it was ended by a signal' : `exit status ${code}`
  throw new MirrorError('CREDENTIALS_INVALID', `${program} has no answer for ${server}: ${why}`, {
    advice: {kind: 'run-helper', program, server},
  })
}

/**
 * Runs `docker-credential-NAME store` with the login on its standard input.
 * @throws {MirrorError} CREDENTIALS_INVALID if it is missing, fails or hangs, CANCELLED
 */
export async function storeWithHelper(
  name: string,
  {
    server,
    username,
    password,
  }: {readonly server: string; readonly username: string; readonly password: string},
  options: HelperOptions,
): Promise<void> {
  const input = JSON.stringify({ServerURL: server, Username: username, Secret: password})
  await change([programOf(name), 'store'], {...options, input, server})
}

/**
 * Runs `docker-credential-NAME erase` for a server.
 * @returns false if it has no login for the server
 * @throws {MirrorError} CREDENTIALS_INVALID if it is missing, fails or hangs, CANCELLED
 */
export async function eraseWithHelper(
  name: string,
  server: string,
  options: HelperOptions,
): Promise<boolean> {
  return change([programOf(name), 'erase'], {...options, input: server, server})
}

async function change(call: HelperCall, options: CallOptions): Promise<boolean> {
  const {code, stdout, stderr} = await run(call, options)
  if (code === 0) return true
  if (call[1] === 'erase' && (NOT_FOUND.test(stdout) || NOT_FOUND.test(stderr))) return false
  const what = call[1] === 'store' ? 'does not keep the login for' : 'does not remove the login for'
  const why = code === undefined ? 'it was ended by a signal' : `exit status ${code}`
  // The helper's output is not repeated, because it may quote a secret.
  throw new MirrorError('CREDENTIALS_INVALID', `${call[0]} ${what} ${options.server}: ${why}`, {
    advice: {kind: 'list-helper', program: call[0]},
  })
}

function programOf(name: string): string {
  if (NAME.test(name)) return `docker-credential-${name}`
  const shown = JSON.stringify(name.slice(0, 100))
  throw new MirrorError('CREDENTIALS_INVALID', `${shown} is not the name of a credential helper`)
}

function parseOutput(stdout: string, program: string): Credential | undefined {
  let json: unknown
  try {
    json = JSON.parse(stdout)
  } catch {
    // The parser's message quotes its text, which may be a secret.
  }
  const {Username: username, Secret: secret} = isJsonObject(json) ? json : {}
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new MirrorError('CREDENTIALS_INVALID', `${program} printed no user name and secret`)
  }
  if (secret === '') return undefined
  return username === '<token>'
    ? {kind: 'identity-token', token: secret, username}
    : {kind: 'basic', username, password: secret}
}

interface Outcome {
  /** Undefined after a signal. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** The program and its command. */
type HelperCall = readonly [program: string, action: 'get' | 'store' | 'erase']

interface CallOptions extends HelperOptions {
  readonly input: string
  /** For messages: the input may be a secret. */
  readonly server: string
}

async function run([program, action]: HelperCall, options: CallOptions): Promise<Outcome> {
  const {env, signal, timeout = DEFAULT_TIMEOUT, input, server} = options
  if (signal?.aborted) throw cancelled(signal)
  const child = spawn(program, [action], {env: {...env}, stdio: 'pipe', windowsHide: true})
  let failure: MirrorError | undefined
  const stop = (error: MirrorError): void => {
    failure ??= error
    child.kill('SIGKILL')
    // A process that the helper started may still hold the pipes.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const detach = whenAborted(signal, () => stop(cancelled(signal)))
  const timer = setTimeout(() => {
    const message = `${program} did not answer for ${server} within ${timeout / 1000} s`
    stop(new MirrorError('CREDENTIALS_INVALID', message))
  }, timeout)
  try {
    const outcome = await outcomeOf(child, {program, input, stop})
    if (failure !== undefined) throw failure
    return outcome
  } finally {
    clearTimeout(timer)
    detach()
  }
}

async function outcomeOf(
  child: ChildProcessWithoutNullStreams,
  options: {readonly program: string; readonly input: string; readonly stop: (error: MirrorError) => void},
): Promise<Outcome> {
  const {program, input, stop} = options
  const tooLong = (): void =>
    stop(
      new MirrorError('LIMIT_EXCEEDED', `${program} prints more than ${limits.credentialHelperBytes} bytes`),
    )
  const stdout = collect(child.stdout, tooLong)
  const stderr = collect(child.stderr, tooLong)
  // A helper need not read its input; any trouble shows in its answer.
  child.stdin.on('error', () => {})
  child.stdin.end(`${input}\n`)
  const code = await new Promise<number | undefined>((resolve, reject) => {
    child.on('error', (cause: Error) => reject(notStarted(program, cause)))
    child.on('close', (code) => resolve(code ?? undefined))
  })
  return {code, stdout: stdout(), stderr: stderr()}
}

function collect(stream: NodeJS.ReadableStream, tooLong: () => void): () => string {
  const chunks: Uint8Array[] = []
  let size = 0
  stream.on('data', (chunk: Uint8Array) => {
    size += chunk.length
    if (size > limits.credentialHelperBytes) tooLong()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function notStarted(program: string, cause: Error): MirrorError {
  return codeOf(cause) === 'ENOENT'
    ? new MirrorError('CREDENTIALS_INVALID', `${program} is not installed`, {
        advice: {kind: 'install-helper', program},
        cause,
      })
    : new MirrorError(
        'CREDENTIALS_INVALID',
        `${program} cannot be run: ${codeOf(cause) ?? 'unknown error'}`,
        {
          cause,
        },
      )
}
