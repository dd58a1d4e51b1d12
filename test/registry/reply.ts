/** An answer before it is written. Header names in lower case. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array | ReplyStream
}

interface ReplyStream {
  readonly size: number
  readonly bytes: AsyncIterable<Uint8Array>
}

export function sizeOf(body: Reply['body']): number {
  return body === undefined ? 0 : body instanceof Uint8Array ? body.length : body.size
}

/** Gives or (undefined) takes away headers. */
export function withHeaders(reply: Reply, headers: Readonly<Record<string, string | undefined>>): Reply {
  const merged: Record<string, string | readonly string[]> = {...reply.headers}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) delete merged[name.toLowerCase()]
    else merged[name.toLowerCase()] = value
  }
  return {...reply, headers: merged}
}
