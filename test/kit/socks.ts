import {once} from 'node:events'
import {connect, createServer, type AddressInfo, type Socket} from 'node:net'

export interface SocksOptions {
  readonly login?: {readonly user: string; readonly password: string}
  /** The reply to every request in place of success (RFC 1928, section 6). */
  readonly reply?: number
  /** Sent to every client at once in place of SOCKS. */
  readonly speaks?: string
}

export interface TestSocks extends AsyncDisposable {
  readonly host: string
  /** `host:port` of each request, as the client said. */
  readonly targets: readonly string[]
  /** Connections taken so far. */
  readonly connections: number
  close(): Promise<void>
}

/** A SOCKS5 proxy on 127.0.0.1 that takes every name to be 127.0.0.1. */
export async function startSocks(options: SocksOptions = {}): Promise<TestSocks> {
  const targets: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((client) => {
    connections += 1
    sockets.add(client)
    client.on('error', () => {}).on('close', () => sockets.delete(client))
    if (options.speaks === undefined)
      void converse(client, {...options, targets}).catch(() => client.destroy())
    else client.end(options.speaks)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    get connections() {
      return connections
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function converse(
  client: Socket,
  {login, reply = 0, targets}: SocksOptions & {readonly targets: string[]},
): Promise<void> {
  const bytes = reader(client)
  const [, count = 0] = await bytes(2)
  const methods = [...(await bytes(count))]
  const method = login === undefined ? 0 : 2
  if (!methods.includes(method)) return void client.end(Buffer.of(5, 0xff))
  client.write(Buffer.of(5, method))
  if (login !== undefined) {
    const [, length = 0] = await bytes(2)
    const user = (await bytes(length)).toString()
    const password = (await bytes((await bytes(1))[0] ?? 0)).toString()
    const isRight = user === login.user && password === login.password
    client.write(Buffer.of(1, isRight ? 0 : 1))
    if (!isRight) return void client.end()
  }
  const [, , , type] = await bytes(4)
  const length = type === 1 ? 4 : type === 4 ? 16 : ((await bytes(1))[0] ?? 0)
  const address = await bytes(length)
  const port = (await bytes(2)).readUInt16BE()
  const host = type === 3 ? address.toString() : type === 1 ? [...address].join('.') : address.toString('hex')
  targets.push(`${host}:${port}`)
  if (reply !== 0) return void client.end(Buffer.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0))
  const onward = connect(port, '127.0.0.1')
  await once(onward, 'connect')
  onward.on('error', () => client.destroy()).on('close', () => client.destroy())
  client.on('close', () => onward.destroy())
  // Bound at a name, the longest form of the reply.
  client.write(Buffer.concat([Buffer.of(5, 0, 0, 3, 5), Buffer.from('proxy'), Buffer.of(0, 80)]))
  client.pipe(onward).pipe(client)
}

/** Reads exactly so many bytes. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    if (length === 0) return Buffer.alloc(0)
    for (;;) {
      const bytes = socket.read(length) as Buffer | null
      if (bytes?.length === length) return bytes
      if (bytes !== null || socket.readableEnded) throw new Error('the client left')
      await once(socket, 'readable')
    }
  }
}
