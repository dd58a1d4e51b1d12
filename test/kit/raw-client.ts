import {Readable} from 'node:stream'
import {Agent} from 'undici'

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  json(): unknown
}

/** Requests exactly as they are written, without retries, redirects or credentials of its own. */
export interface RawClient extends AsyncDisposable {
  /** `target` is a path with query, or a whole URL; it goes out byte for byte. */
  send(method: string, target: string, options?: RawRequest): Promise<RawAnswer>
}

export function rawClient(
  origin: string,
  options: {readonly ca?: string; readonly cert?: string; readonly key?: string} = {},
): RawClient {
  const agent = new Agent({connect: {...options}})
  return {
    send: async (method, target, given = {}) => {
      const whole = /^(?<origin>https?:\/\/[^/]+)(?<path>.*)$/.exec(target)?.groups
      const answer = await agent.request({
        // The free function `request` takes a URL apart, which escapes what is legal in a query.
        origin: whole?.['origin'] ?? origin,
        path: whole?.['path'] ?? target,
        method,
        headers: {...given.headers},
        body: given.body === undefined ? null : bodyOf(given.body),
        signal: given.signal,
      })
      const body = Buffer.from(await answer.body.arrayBuffer())
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(
          Object.entries(answer.headers).map(([name, value]) => [name, value?.toString()]),
        ),
        body,
        json: () => JSON.parse(body.toString('utf8')) as unknown,
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

function bodyOf(body: NonNullable<RawRequest['body']>): string | Uint8Array | Readable {
  return typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body)
}
