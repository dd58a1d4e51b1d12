import {codeOf, messageOf} from '../model/index.js'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be resolved at the moment',
  EHOSTUNREACH: 'there is no route to the host',
  EHOSTDOWN: 'the host is down',
  ENETUNREACH: 'there is no route to the network',
  ENETDOWN: 'the network is down',
  ETIMEDOUT: 'the connection timed out',
  ECONNRESET: 'the connection was closed',
  ECONNABORTED: 'the connection was closed',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was closed in the middle of an answer',
  HPE_INVALID_EOF_STATE: 'the connection was closed in the middle of an answer',
}

/** Returns the code of the system, TLS or undici for a failure, from anywhere in the chain of causes. */
export function networkCode(error: unknown): string | undefined {
  let current: unknown = error
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    const code = codeOf(current)
    if (code !== undefined) return code
    // undici forgets to give these errors the code of its parser.
    if (current.name === 'HTTPParserError')
      return /\bEOF\b/.test(current.message) ? 'HPE_INVALID_EOF_STATE' : 'HPE_INVALID'
    current = current instanceof AggregateError ? current.errors[0] : current.cause
  }
  return undefined
}

/** Returns the meaning of a failure, for the middle of a sentence. */
export function networkReason(error: unknown): string {
  const code = networkCode(error)
  return (code === undefined ? undefined : REASONS[code]) ?? messageOf(error)
}

export function isConnectionFailure(code: string): boolean {
  return code in REASONS
}
