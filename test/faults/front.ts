import {once} from 'node:events'
import http from 'node:http'
import type {AddressInfo, Socket} from 'node:net'

/** A change to an answer on its way to the client. */
export type Twist =
  /** A body that never ends: as fast as it is taken, or a byte every `ms`. */
  | {readonly type: 'endless'; readonly ms?: number}
  /** These headers are added; an array is a header as often as it has items. */
  | {readonly type: 'headers'; readonly headers: Readonly<Record<string, string | readonly string[]>>}
  /** The body goes through this, and is announced as what came of it. */
  | {
      readonly type: 'body'
      readonly change: (body: Buffer) => Buffer
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly type: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** These bytes as they are, `times` times, instead of any answer; then silence. */
  | {readonly type: 'raw'; readonly bytes: string; readonly times: number; readonly ms: number}

export interface Front extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Bytes of bodies that were written for the client. */
  readonly written: number
}

export interface Passing {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  /** The answer behind. */
  readonly status: number
}

/** A server that passes requests on to a registry, and twists the answers that `twistOf` says. */
export async function startFront(
  registry: {readonly host: string},
  twistOf: (passing: Passing) => Twist | undefined,
): Promise<Front> {
  const state = {written: 0}
  const sockets = new Set<Socket>()
  const server = http.createServer((request, response) => {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    const [hostname, port] = registry.host.split(':')
    const {method, headers, url: path} = request
    const onward = http.request({hostname, port, method, path, headers, agent: false}, (answer) => {
      const twist = twistOf({
        method: method ?? '',
        path: path ?? '',
        authorization: headers.authorization,
        status: answer.statusCode ?? 0,
      })
      void answerWith(answer, {response, twist, state})
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get written() {
      return state.written
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

async function answerWith(
  answer: http.IncomingMessage,
  {
    response,
    twist,
    state,
  }: {
    readonly response: http.ServerResponse
    readonly twist: Twist | undefined
    readonly state: {written: number}
  },
): Promise<void> {
  const {statusCode = 502, headers} = answer
  const body = await bytesOf(answer)
  const {'content-length': _, ...rest} = headers
  // Once for all writes: each would leave a listener behind.
  const closed = once(response, 'close').catch(() => undefined)
  const write = async (bytes: Buffer): Promise<void> => {
    state.written += bytes.length
    if (!response.write(bytes)) await Promise.race([once(response, 'drain'), closed])
  }
  switch (twist?.type) {
    case undefined:
      response.writeHead(statusCode, headers).end(body)
      return
    case 'headers':
      response.writeHead(statusCode, {...headers, ...(twist.headers as Record<string, string>)}).end(body)
      return
    case 'status':
      response.writeHead(twist.status, twist.headers).end(twist.body)
      return
    case 'body': {
      const changed = twist.change(body)
      response
        .writeHead(statusCode, {...rest, 'content-length': changed.length, ...twist.headers})
        .end(changed)
      return
    }
    case 'endless':
      response.writeHead(statusCode, rest)
      await write(body)
      while (!response.destroyed) {
        await write(Buffer.alloc(twist.ms === undefined ? 65_536 : 1, ' '))
        if (twist.ms !== undefined) await later(twist.ms)
        else await later(0)
      }
      return
    case 'raw':
      for (let sent = 0; sent < twist.times && response.socket?.destroyed === false; sent++) {
        response.socket.write(twist.bytes)
        await later(twist.ms)
      }
      return
  }
}

async function bytesOf(answer: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
