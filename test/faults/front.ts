import {once} from 'node:events'
import http from 'node:http'
import type {Socket} from 'node:net'
import {setTimeout as later} from 'node:timers/promises'
import {startScripted, type Answer, type Asked} from '@airgap-mirror/test/kit'

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
  /** Bytes of endless bodies that were written for the client. */
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
  let written = 0
  const counted = async function* (body: Buffer, {ms}: {readonly ms?: number}): AsyncGenerator<Buffer> {
    for (let bytes = body; ; bytes = Buffer.alloc(ms === undefined ? 65_536 : 1, ' ')) {
      written += bytes.length
      yield bytes
      await later(ms ?? 0)
    }
  }
  const server = await startScripted(async (asked) => {
    const behind = await passedOn(asked, registry.host)
    const {method, path} = asked
    const twist = twistOf({method, path, authorization: asked.headers.authorization, status: behind.status})
    if (twist?.type === 'endless') {
      const {'content-length': _, ...headers} = behind.headers
      return {status: behind.status, headers, body: counted(behind.body, twist)}
    }
    if (twist?.type === 'raw') return writeRaw(asked.socket, twist)
    return twisted(behind, twist)
  })
  return {
    host: server.host,
    get written() {
      return written
    },
    [Symbol.asyncDispose]: server.close,
  }
}

interface Behind {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

async function passedOn({method, path, headers, body}: Asked, host: string): Promise<Behind> {
  const request = http.request(`http://${host}`, {method, path, headers, agent: false}).end(body)
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return {status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(chunks)}
}

function twisted(
  {status, headers, body}: Behind,
  twist: Extract<Twist, {type: 'headers' | 'status' | 'body'}> | undefined,
): Answer {
  if (twist === undefined) return {status, headers, body}
  if (twist.type === 'status') return {status: twist.status, headers: twist.headers, body: twist.body}
  if (twist.type === 'headers')
    return {status, headers: {...headers, ...(twist.headers as http.OutgoingHttpHeaders)}, body}
  const changed = twist.change(body)
  return {status, headers: {...headers, 'content-length': changed.length, ...twist.headers}, body: changed}
}

async function writeRaw(
  socket: Socket,
  {bytes, times, ms}: Extract<Twist, {readonly type: 'raw'}>,
): Promise<Answer> {
  for (let sent = 0; sent < times && !socket.destroyed; sent++) {
    socket.write(bytes)
    await later(ms)
  }
  return 'silence'
}
