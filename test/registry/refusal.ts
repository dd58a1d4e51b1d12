import type {Reply} from './reply.js'

/** An answer that is an error in the distribution-spec's envelope. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent instead of the envelope, as proxies do. */
  readonly html: string | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    options: {readonly headers?: Readonly<Record<string, string>>; readonly html?: string} = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.headers = options.headers ?? {}
    this.html = options.html
  }

  reply(): Reply {
    if (this.html !== undefined) {
      return {
        status: this.status,
        headers: {'content-type': 'text/html', ...this.headers},
        body: Buffer.from(this.html),
      }
    }
    return jsonReply({errors: [{code: this.code, message: this.message}]}, this)
  }
}

export function jsonReply(
  value: unknown,
  options: {readonly status?: number; readonly headers?: Readonly<Record<string, string>>} = {},
): Reply {
  return {
    status: options.status ?? 200,
    headers: {'content-type': 'application/json', ...options.headers},
    body: Buffer.from(JSON.stringify(value)),
  }
}
