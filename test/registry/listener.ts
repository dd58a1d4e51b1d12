import {once} from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type {AddressInfo, Socket} from 'node:net'
import type {RegistryOptions} from './options.js'

export type RequestListener = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  connection: Connection,
) => void

export interface Connection {
  /** RST instead of an orderly end. */
  readonly reset: () => void
  readonly closed: Promise<void>
}

export interface Listener {
  readonly port: number
  /** TCP connections accepted since the start, and those that are open now. */
  readonly connections: {readonly accepted: number; readonly open: number}
  /** Ends all connections at once and stops listening. */
  close(): Promise<void>
}

/** An HTTP or HTTPS server on 127.0.0.1 whose connections can be reset. */
export async function listen(
  onRequest: RequestListener,
  options: {readonly tls: RegistryOptions['tls']; readonly port: number},
): Promise<Listener> {
  const sockets = new Map<string, Connection & {readonly socket: Socket}>()
  let accepted = 0
  const serve: http.RequestListener = (request, response) => {
    const connection = sockets.get(keyOf(request.socket))
    if (connection === undefined) request.socket.destroy()
    else onRequest(request, response, connection)
  }
  const server =
    options.tls === undefined ? http.createServer(serve) : https.createServer(tlsOptions(options.tls), serve)
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  // For an https server this is the TCP connection below TLS: the only one that can be reset.
  server.on('connection', (socket: Socket) => {
    accepted += 1
    const key = keyOf(socket)
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        sockets.delete(key)
        resolve()
      })
    })
    // A peer that vanishes is what this server is for.
    socket.on('error', () => undefined)
    sockets.set(key, {socket, closed, reset: () => void socket.resetAndDestroy()})
  })
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return {accepted, open: sockets.size}
    },
    close: async () => {
      const gone = once(server, 'close')
      server.close()
      const open = [...sockets.values()]
      for (const {socket} of open) socket.destroy()
      await Promise.all([gone, ...open.map(({closed}) => closed)])
    },
  }
}

function tlsOptions({cert, key, clientCa}: NonNullable<RegistryOptions['tls']>): https.ServerOptions {
  return {
    cert,
    key,
    ca: clientCa,
    requestCert: clientCa !== undefined,
  }
}

function keyOf({remoteAddress, remotePort}: Socket): string {
  return `${remoteAddress}:${remotePort}`
}
