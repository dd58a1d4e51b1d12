import {execFileSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import {connect, type AddressInfo, type Server, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {HttpRequest, HttpUrl} from '#src/http/send.js'
import type {MirrorError} from '#src/model/index.js'

export interface Listening {
  readonly port: number
  /** Sockets accepted so far. */
  readonly connections: () => number
  close(): Promise<void>
}

/** Listens on 127.0.0.1, and ends with every connection it has. */
export async function listen(server: Server): Promise<Listening> {
  const open = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => accepted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** A server whose answers are a matter of time: for all others there is `startScripted`. */
export function serve(handler: http.RequestListener): Promise<Listening> {
  return listen(http.createServer(handler))
}

interface Closing {
  close(): Promise<void>
}

/** Remembers what has to be closed after a test, the last first. */
export function keeper(): {
  readonly kept: <T extends Closing>(each: T) => T
  readonly closeAll: () => Promise<void>
} {
  const open: Closing[] = []
  return {
    kept: (each) => {
      open.push(each)
      return each
    },
    closeAll: async () => {
      for (let each = open.pop(); each !== undefined; each = open.pop()) await each.close()
    },
  }
}

export interface ProxySeen {
  readonly method: string
  readonly target: string
  readonly authorization: string | undefined
}

/** A proxy for CONNECT and for plain requests that takes every name to be 127.0.0.1. */
export async function serveProxy(
  options: {readonly refuse?: number; readonly tls?: https.ServerOptions} = {},
): Promise<Listening & {readonly seen: ProxySeen[]}> {
  const seen: ProxySeen[] = []
  const note = (request: http.IncomingMessage): void => {
    const {method = '', url = '', headers} = request
    seen.push({method, target: url, authorization: headers['proxy-authorization']})
  }
  const onRequest: http.RequestListener = (request, response) => {
    note(request)
    if (options.refuse !== undefined) {
      response.writeHead(options.refuse).end()
      return
    }
    const url = new URL(request.url ?? '')
    const onward = http.request({
      host: '127.0.0.1',
      port: url.port,
      path: url.pathname + url.search,
      method: request.method,
      headers: request.headers,
    })
    onward.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers)))
    request.pipe(onward)
  }
  const server =
    options.tls === undefined ? http.createServer(onRequest) : https.createServer(options.tls, onRequest)
  server.on('connect', (request: http.IncomingMessage, client: Socket) => {
    note(request)
    if (options.refuse !== undefined) {
      client.end(`HTTP/1.1 ${options.refuse} No\r\nContent-Length: 2\r\n\r\nno`)
      return
    }
    const onward = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(client).pipe(onward)
    })
    onward.on('error', () => client.destroy())
    client.on('error', () => onward.destroy())
    client.on('close', () => onward.destroy())
  })
  return {...(await listen(server)), seen}
}

interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface Authority extends KeyPair {
  issue(options: {readonly names: string; readonly expired?: boolean}): KeyPair
  dispose(): void
}

/** A certificate authority made by the openssl program; undefined where that is missing and no CI demands it. */
export function makeAuthority(): Authority | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'oci-client-tls-'))
  let serial = 0
  const file = (name: string): string => join(directory, name)
  const openssl = (...options: string[]): void => {
    execFileSync('openssl', options, {stdio: 'pipe'})
  }
  const request = (name: string, ...options: string[]): void => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      file(`${name}.key`),
    ]
    openssl('req', ...key, '-subj', `/CN=${name}`, ...options)
  }
  const read = (name: string): KeyPair => ({
    cert: readFileSync(file(`${name}.pem`), 'utf8'),
    key: readFileSync(file(`${name}.key`), 'utf8'),
  })
  const dispose = (): void => rmSync(directory, {recursive: true, force: true})
  try {
    request('authority', '-x509', '-days', '2', '-out', file('authority.pem'))
    return {
      ...read('authority'),
      dispose,
      issue: ({names, expired = false}) => {
        const name = `leaf${++serial}`
        request(name, '-addext', `subjectAltName=${names}`, '-out', file(`${name}.csr`))
        const signer = ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-CAcreateserial']
        const times = ['-days', expired ? '-1' : '2', '-copy_extensions', 'copy']
        openssl('x509', '-req', '-in', file(`${name}.csr`), ...signer, ...times, '-out', file(`${name}.pem`))
        return read(name)
      },
    }
  } catch (error) {
    dispose()
    if (process.env['CI'] === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return undefined
    throw error
  }
}

export function to(origin: string, path = '/v2/'): HttpUrl {
  return {origin, path}
}

export function get(origin: string, rest: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url: to(origin),
    scopes: [],
    ...rest,
  }
}

/** The error of something that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<MirrorError> {
  try {
    await promise
  } catch (error) {
    return error as MirrorError
  }
  throw new Error('it did not fail')
}
