import {writeFile} from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import {join} from 'node:path'
import {hash} from 'bcryptjs'
import {startChild, type Child} from './child.js'
import type {DockerTokens} from './docker-tokens.js'
import {freePort} from './free-port.js'
import {makeTempDir} from './temp-dir.js'

export interface DebianRegistryOptions {
  /** PEM texts. */
  readonly tls?: {readonly cert: string; readonly key: string}
  /** Passwords by user name. */
  readonly htpasswd?: Readonly<Record<string, string>>
  /** Sends everybody to a token server, in place of `htpasswd`. `ca`: PEM of who issued its signing certificate. */
  readonly tokens?: Pick<DockerTokens, 'realm' | 'service' | 'issuer'> & {readonly ca: string}
  /** Keeps `_state` valid over a restart; default a fixed one. */
  readonly httpSecret?: string
  /** Absent: a temporary one, which goes away with `stop`. */
  readonly storage?: string
  readonly port?: number
  readonly readOnly?: boolean
  /** `storage.delete.enabled`; default true, where distribution's own is false. */
  readonly deletion?: boolean
}

export interface DebianRegistry extends AsyncDisposable {
  readonly url: string
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly pid: number
  /** Output since the last start. */
  readonly log: string
  /** Ends the process and waits until it is gone; storage and port stay for `start`. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again after `kill`. */
  start(): Promise<void>
  /**
   * Ends it, removes every manifest without a tag and the blobs that only such manifests need, and starts it again. The
   * platforms of an index have no tags, so they go: distribution/distribution#3178.
   */
  collectGarbage(): Promise<void>
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>
}

/** Debian's `docker-registry` (distribution 2.8) as a child process on 127.0.0.1. */
export async function startDebianRegistry(options: DebianRegistryOptions = {}): Promise<DebianRegistry> {
  const directory = await makeTempDir()
  const port = options.port ?? (await freePort())
  const config = join(directory.path, 'config.json')
  await writeConfig(config, {options, port, directory: directory.path})
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const launch = async (): Promise<Child> => {
    const started = startChild('docker-registry', ['serve', config], {
      env: {PATH: process.env['PATH'], HOME: directory.path},
      timeout: 3_600_000,
    })
    await untilItAnswers(url, started)
    return started
  }
  let child = await launch().catch(async (error: unknown) => {
    await directory.remove()
    throw error
  })
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await child.result
  }
  const start = async (): Promise<void> => {
    child = await launch()
  }
  const stop = async (): Promise<void> => {
    await kill()
    await directory.remove()
  }
  return {
    url,
    host: `127.0.0.1:${port}`,
    get pid() {
      return child.pid
    },
    get log() {
      return child.stdout + child.stderr
    },
    kill,
    start,
    collectGarbage: async () => {
      await kill()
      const args = ['garbage-collect', '--delete-untagged', config]
      const {code, stderr} = await startChild('docker-registry', args, {env: {HOME: directory.path}}).result
      if (code !== 0) throw new Error(`the garbage collection ended with ${code}: ${stderr}`)
      await start()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** JSON is YAML. */
async function writeConfig(
  path: string,
  given: {
    readonly options: DebianRegistryOptions
    readonly port: number
    readonly directory: string
  },
): Promise<void> {
  const {options, port, directory} = given
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(directory, name), content, {mode: 0o600})
    return join(directory, name)
  }
  const tls =
    options.tls === undefined
      ? {}
      : {
          tls: {
            certificate: await file('cert.pem', options.tls.cert),
            key: await file('key.pem', options.tls.key),
          },
        }
  const auth = await authOf(options, file)
  const config = {
    version: 0.1,
    log: {level: 'info', accesslog: {disabled: false}},
    storage: {
      filesystem: {rootdirectory: options.storage ?? join(directory, 'storage')},
      delete: {enabled: options.deletion ?? true},
      maintenance: options.readOnly === true ? {readonly: {enabled: true}} : undefined,
    },
    http: {addr: `127.0.0.1:${port}`, secret: options.httpSecret ?? 'a secret of the tests', ...tls},
    ...auth,
  }
  await writeFile(path, JSON.stringify(config, undefined, 2))
}

async function authOf(
  {htpasswd: users, tokens}: DebianRegistryOptions,
  file: (name: string, content: string) => Promise<string>,
): Promise<object> {
  if (tokens !== undefined) {
    const {ca, ...token} = tokens
    return {auth: {token: {...token, rootcertbundle: await file('tokens.pem', ca)}}}
  }
  if (users === undefined) return {}
  return {auth: {htpasswd: {realm: 'test', path: await file('htpasswd', await htpasswd(users))}}}
}

/** bcrypt is all that distribution reads. Cost 4: every request pays for it. */
async function htpasswd(users: Readonly<Record<string, string>>): Promise<string> {
  const lines = await Promise.all(
    Object.entries(users).map(async ([name, password]) => `${name}:${await hash(password, 4)}\n`),
  )
  return lines.join('')
}

async function untilItAnswers(url: string, child: Child): Promise<void> {
  const deadline = Date.now() + 240_000
  let hasEnded = false
  const ended = (): void => {
    hasEnded = true
  }
  child.result.then(ended, ended)
  while (!(await answers(url))) {
    if (hasEnded || Date.now() > deadline) {
      child.kill('SIGKILL')
      await child.result
      throw new Error(`docker-registry did not start:\n${child.stdout}${child.stderr}`)
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Checks only that the registry answers: the tests judge its certificate.
    const request = url.startsWith('https:')
      ? https.get(`${url}/v2/`, {rejectUnauthorized: false, agent: false})
      : http.get(`${url}/v2/`, {agent: false})
    request.once('response', (response) => {
      response.resume()
      resolve(true)
    })
    request.once('error', () => resolve(false))
  })
}
