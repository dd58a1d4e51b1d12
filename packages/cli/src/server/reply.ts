/** An answer before it is written. Header names in lower case. A HEAD request gets the headers alone. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | ReplyStream
}

export interface ReadOptions {
  readonly signal?: AbortSignal
  /** The caller is done with a chunk before it asks for the next, and its memory may be used again. */
  readonly reuseChunks?: boolean
}

/** Nothing is read before the first byte is asked for. */
export interface ReplyStream {
  readonly size: number
  readonly read: (options: ReadOptions) => AsyncIterable<Uint8Array>
}

export function sizeOf(body: Reply['body']): number {
  return body === undefined ? 0 : body instanceof Uint8Array ? body.length : body.size
}

/** Returns the answer with headers set, or with undefined taken away. */
export function withHeaders(reply: Reply, headers: Readonly<Record<string, string | undefined>>): Reply {
  const merged: Record<string, string> = {...reply.headers}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) delete merged[name.toLowerCase()]
    else merged[name.toLowerCase()] = value
  }
  return {...reply, headers: merged}
}
