import {once} from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type {Duplex} from 'node:stream'

export interface ProxyOptions {
  /** Names only this proxy can resolve, `host` or `host:port`, to `host:port` (or `host`, the port kept). */
  readonly names?: Readonly<Record<string, string>>
  readonly auth?: {readonly user: string; readonly password: string}
  /** Answer every request with this status. */
  readonly refuseWith?: number
}

export interface ProxyRecord {
  /** `CONNECT`, or the method that was passed on. */
  readonly method: string
  /** `host:port`, as the client said. */
  readonly target: string
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
}

export interface TestProxy extends AsyncDisposable {
  readonly host: string
  readonly url: string
  readonly requests: readonly ProxyRecord[]
  /** Bytes passed on in tunnels, towards the target and back. */
  readonly bytes: {readonly up: number; readonly down: number}
  close(): Promise<void>
}

/** A proxy on 127.0.0.1: CONNECT for https, forwarding for http. */
export async function startProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const state: State = {options, requests: [], bytes: {up: 0, down: 0}, sockets: new Set()}
  const {requests, bytes, sockets} = state
  const server = http.createServer((request, response) => forward(request, {response, state}))
  server.on('connect', (request, client: Duplex, head: Buffer) => tunnel(request, {client, head, state}))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  const close = async (): Promise<void> => {
    const gone = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await gone
  }
  return {host, url: `http://${host}`, requests, bytes, close, [Symbol.asyncDispose]: close}
}

interface State {
  readonly options: ProxyOptions
  readonly requests: ProxyRecord[]
  readonly bytes: {up: number; down: number}
  readonly sockets: Set<Duplex>
}

/** The status for the sender of a request: 200 if it may go on. */
function judge({headers}: http.IncomingMessage, {options: {refuseWith, auth}}: State): number {
  if (refuseWith !== undefined) return refuseWith
  if (auth === undefined) return 200
  const expected = Buffer.from(`${auth.user}:${auth.password}`).toString('base64')
  return headers['proxy-authorization'] === `Basic ${expected}` ? 200 : 407
}

function record(
  {method = '', headers}: http.IncomingMessage,
  {target, status, state}: {readonly target: string; readonly status: number; readonly state: State},
): void {
  state.requests.push({method, target, status, headers})
}

function forward(
  request: http.IncomingMessage,
  {response, state}: {readonly response: http.ServerResponse; readonly state: State},
): void {
  const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined
  const target = url === undefined ? '' : withPort(url.host, 80)
  const address = addressOf(target, state.options.names)
  const judged = url === undefined ? 400 : judge(request, state)
  const status = judged === 200 && address === undefined ? 502 : judged
  record(request, {target, status, state})
  if (status !== 200 || address === undefined) {
    request.resume()
    response.writeHead(status, {'proxy-authenticate': 'Basic realm="proxy"'}).end()
    return
  }
  const {'proxy-authorization': _, 'proxy-connection': __, ...headers} = request.headers
  // Not the URL's own parts: taking a query apart and putting it together again changes it.
  const path = (request.url ?? '').replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const onward = http.request({...address, method: request.method, path, headers, agent: false})
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}

function tunnel(
  request: http.IncomingMessage,
  {client, head, state}: {readonly client: Duplex; readonly head: Buffer; readonly state: State},
): void {
  client.on('error', () => undefined)
  const {bytes, sockets} = state
  const target = withPort(request.url ?? '', 443)
  const status = judge(request, state)
  const address = addressOf(target, state.options.names)
  const refuse = (code: number): void => {
    record(request, {target, status: code, state})
    client.end(
      `HTTP/1.1 ${code} ${http.STATUS_CODES[code] ?? 'No'}\r\nproxy-authenticate: Basic realm="proxy"\r\ncontent-length: 0\r\n\r\n`,
    )
  }
  if (status !== 200) return refuse(status)
  if (address === undefined) return refuse(502)
  const upstream = net.connect(address)
  sockets.add(upstream)
  upstream.once('error', () => (upstream.connecting ? refuse(502) : client.destroy()))
  upstream.once('close', () => {
    sockets.delete(upstream)
    client.destroy()
  })
  client.once('close', () => upstream.destroy())
  upstream.once('connect', () => {
    record(request, {target, status: 200, state})
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    upstream.write(head)
    client.on('data', (chunk: Buffer) => {
      bytes.up += chunk.length
    })
    upstream.on('data', (chunk: Buffer) => {
      bytes.down += chunk.length
    })
    client.pipe(upstream).pipe(client)
  })
}

function withPort(host: string, port: number): string {
  return /:\d+$/.test(host) ? host : `${host}:${port}`
}

/** Only names of the table and addresses: what this machine's resolver knows must not help. */
function addressOf(
  target: string,
  names: ProxyOptions['names'] = {},
): {readonly host: string; readonly port: number} | undefined {
  const colon = target.lastIndexOf(':')
  const host = target.slice(0, colon)
  const named = names[target] ?? names[host]
  if (named !== undefined) {
    const [namedHost = '', namedPort = target.slice(colon + 1)] = named.split(':')
    return {host: namedHost, port: Number(namedPort)}
  }
  const bare = host.replace(/^\[|\]$/g, '')
  return net.isIP(bare) === 0 ? undefined : {host: bare, port: Number(target.slice(colon + 1))}
}
