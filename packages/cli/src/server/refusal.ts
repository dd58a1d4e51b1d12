import type {Reply} from './reply.js'

/** An answer that is an error in the envelope of the distribution specification. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    options: {readonly headers?: Readonly<Record<string, string>>} = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.headers = options.headers ?? {}
  }

  reply(): Reply {
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
