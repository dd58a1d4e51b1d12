import {once} from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type {AddressInfo, Socket} from 'node:net'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'

/** A request, with its whole body. */
export interface Asked {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  readonly socket: Socket
}

/** An answer, which need not be honest. `silence`: none ever comes; `hang-up`: the connection ends without one. */
export type Answer =
  | {
      /** Default 200. */
      readonly status?: number
      readonly headers?: http.OutgoingHttpHeaders
      /** Announced with its length unless the headers say otherwise, or it is made piece by piece. */
      readonly body?: string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>
      /** A body as JSON, with its media type. */
      readonly json?: unknown
      /** The connection ends after so many bytes of the body. */
      readonly cutAt?: number
    }
  | 'silence'
  | 'hang-up'

export type Script = (asked: Asked) => Answer | Promise<Answer>

/** Answers by `METHOD /path?query`, in which the method can be left out and `*` is any text. The first that fits counts. */
export type Routes = Readonly<Record<string, Answer | Script>>

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly origin: string
  readonly asked: readonly Asked[]
  /** Connections accepted so far. */
  readonly connections: () => number
  readonly close: () => Promise<void>
}

/** Starts a server on 127.0.0.1 that does as it is told, and answers 404 where no route fits. Closing it ends its connections. */
export async function startScripted(
  script: Script | Routes,
  {tls}: {readonly tls?: https.ServerOptions} = {},
): Promise<ScriptedServer> {
  const answerTo = typeof script === 'function' ? script : byRoute(script)
  const asked: Asked[] = []
  const open = new Set<Socket>()
  let connections = 0
  const listener = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const {method = '', url: path = '', headers, socket} = request
    const one = {method, path, headers, socket, body: Buffer.concat(chunks)}
    asked.push(one)
    await give(response, await answerTo(one))
  }
  // A client that leaves is no failure of the server.
  const onRequest: http.RequestListener = (request, response) =>
    void listener(request, response).catch(() => response.destroy())
  const server = tls === undefined ? http.createServer(onRequest) : https.createServer(tls, onRequest)
  server.on('connection', (socket) => {
    connections += 1
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of open) socket.destroy()
    await once(server, 'close')
  }
  return {
    port,
    host,
    origin: `${tls === undefined ? 'http' : 'https'}://${host}`,
    asked,
    connections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function byRoute(routes: Routes): Script {
  const patterns = Object.entries(routes).map(([route, answer]) => {
    const text = route.startsWith('/') || route === '*' ? `* ${route}` : route
    const source = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    return {pattern: new RegExp(`^${source.join('.*')}$`), answer}
  })
  return (asked) => {
    const line = `${asked.method} ${asked.path}`
    const found = patterns.find(({pattern}) => pattern.test(line))?.answer ?? {status: 404}
    return typeof found === 'function' ? found(asked) : found
  }
}

async function give(response: http.ServerResponse, answer: Answer): Promise<void> {
  if (answer === 'silence') return
  if (answer === 'hang-up') return void response.destroy()
  const {status = 200, headers = {}, json, cutAt} = answer
  const body = json === undefined ? (answer.body ?? '') : JSON.stringify(json)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (json !== undefined) response.setHeader('content-type', 'application/json')
  if (!(bytes instanceof Uint8Array)) {
    response.writeHead(status, headers)
    return pipeline(Readable.from(bytes), response)
  }
  if (headers['transfer-encoding'] === undefined) response.setHeader('content-length', bytes.length)
  response.writeHead(status, headers)
  if (cutAt === undefined) return void response.end(bytes)
  response.write(bytes.subarray(0, cutAt), () => response.socket?.destroySoon())
}
