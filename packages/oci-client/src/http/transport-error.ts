import {isConnectionFailure, networkCode, networkReason} from './network-code.js'
import {excerpt} from './excerpt.js'
import {subjectOf} from './shown-certificate.js'
import {pemBlocks} from './tls.js'
import {tlsError} from './tls-error.js'
import {isMirrorError, messageOf, MirrorError, type Advice, type Side} from '../model/index.js'

/** The peer of a failed exchange. */
export interface Peer {
  readonly origin: string
  readonly side: Side
  /** True if a client certificate was shown. */
  readonly identified?: boolean
  /** PEM of the authorities that were given to be trusted. */
  readonly ca?: readonly string[]
  /** True if an earlier request got an answer, which proves that the port speaks the protocol of `origin`. */
  readonly hasAnswered?: boolean
}

/** Unknown names stay unknown for longer than a retry waits. */
const LASTING: ReadonlySet<string> = new Set(['ENOTFOUND'])
const PASSING_PROXY_STATUS: ReadonlySet<string> = new Set([
  'PROXY_STATUS_502',
  'PROXY_STATUS_503',
  'PROXY_STATUS_504',
])

/** Codes of an unreachable host, which the next request would get, too. */
const AWAY: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  ...PASSING_PROXY_STATUS,
])
const NAMES_SHOWN = 3
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET'])
/** Failures that must not be retried again. */
const finals = new WeakSet<object>()

/** Marks a failure as already retried, so that outer layers do not retry it again. */
export function asFinal<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error) finals.add(error)
  return error
}

/** Returns true if the same request may succeed a moment later and was not yet retried. */
export function isTransient(error: unknown): boolean {
  if (!isMirrorError(error) || finals.has(error)) return false
  if (error.code === 'TIMEOUT') return true
  if (error.code !== 'UNREACHABLE' && error.code !== 'PROXY_FAILED') return false
  const code = networkCode(error.cause) ?? ''
  if (LASTING.has(code)) return false
  return error.code === 'UNREACHABLE' || isConnectionFailure(code) || PASSING_PROXY_STATUS.has(code)
}

/** Returns true if no connection was established. Unlike a broken connection, this means that the host is gone. */
export function isUnreachable(error: unknown): boolean {
  return (
    isMirrorError(error) &&
    (error.code === 'UNREACHABLE' || error.code === 'TIMEOUT' || error.code === 'PROXY_FAILED') &&
    AWAY.has(networkCode(error.cause) ?? '')
  )
}

/** Returns true if the other side closed an established connection. */
export function isBrokenConnection(error: unknown): boolean {
  return isMirrorError(error) && error.code === 'UNREACHABLE' && BROKEN.has(networkCode(error.cause) ?? '')
}

/** The names of the first few authorities in PEM texts. */
function namesIn(texts: readonly string[] = []): readonly string[] {
  const names = texts
    .flatMap(pemBlocks)
    .map((block) => subjectOf(block) ?? 'a certificate that cannot be read')
  const shown = [...new Set(names)]
  return shown.length <= NAMES_SHOWN
    ? shown
    : [...shown.slice(0, NAMES_SHOWN), `${shown.length - NAMES_SHOWN} more`]
}

/** Returns the MirrorError for a failed connection. Returns other errors unchanged, because they are bugs. */
export function transportError(error: unknown, peer: Peer): unknown {
  if (isMirrorError(error)) return error
  const code = networkCode(error)
  if (code === undefined) return error
  const {side} = peer
  const {host, hostname, port, protocol} = new URL(peer.origin)
  const mayBeHttps = protocol === 'http:' && peer.hasAnswered !== true
  const place = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host
  const make = (
    kind: 'UNREACHABLE' | 'TIMEOUT' | 'PROTOCOL',
    message: string,
    advice?: Advice,
  ): MirrorError => new MirrorError(kind, message, {side, advice, cause: error})
  const fromTls =
    protocol === 'https:'
      ? tlsError(error, {code, place, side, identified: peer.identified, given: () => namesIn(peer.ca)})
      : undefined
  if (fromTls !== undefined) return fromTls

  switch (code) {
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return make('TIMEOUT', `no connection to ${place} in time`, {kind: 'check-network-path'})
    case 'UND_ERR_HEADERS_TIMEOUT':
      return make('TIMEOUT', `${place} did not answer in time`)
    case 'UND_ERR_BODY_TIMEOUT':
      return make('TIMEOUT', `${place} stopped in the middle of an answer`)
    case 'ECONNREFUSED':
      return make('UNREACHABLE', `${place} refuses the connection`, {kind: 'check-registry-running'})
    case 'ENOTFOUND':
      return make('UNREACHABLE', `the name ${hostname} is not known`, {kind: 'check-host-name'})
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return new MirrorError('CANCELLED', `the connections to ${place} were closed here`, {
        side,
        cause: error,
      })
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return make('PROTOCOL', `${place} sends more headers than are accepted`)
    case 'UND_ERR_INVALID_ARG':
      return make('PROTOCOL', `no valid request to ${place} can be made: ${excerpt(messageOf(error), 100)}`)
  }
  if (isConnectionFailure(code)) {
    return make(
      'UNREACHABLE',
      `the exchange with ${place} failed: ${networkReason(error)}`,
      mayBeHttps ? {kind: 'use-https'} : undefined,
    )
  }
  if (code.startsWith('HPE_')) {
    return make('PROTOCOL', `${place} does not answer in HTTP`, {
      kind: mayBeHttps ? 'use-https' : 'check-registry-address',
    })
  }
  // Wrong calls of Node's functions are bugs of this program. Anything else is the failure of one host alone.
  if (/^ERR_(?:INVALID_(?:ARG|THIS|STATE|RETURN)|INTERNAL|OUT_OF_RANGE|ASSERTION)/.test(code)) return error
  const fromSystem = error instanceof Error && 'syscall' in error
  return make(
    fromSystem ? 'UNREACHABLE' : 'PROTOCOL',
    `the exchange with ${place} failed: ${excerpt(messageOf(error), 200)}${fromSystem ? '' : ` (${excerpt(code, 60)})`}`,
  )
}
