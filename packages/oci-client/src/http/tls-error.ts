import {excerpt} from './excerpt.js'
import type {ShownCertificate} from './shown-certificate.js'
import {messageOf, MirrorError, type Advice, type ErrorCode, type Side} from '../model/index.js'

export interface TlsPeer {
  readonly code: string
  /** `host:port`. */
  readonly place: string
  readonly side: Side
  /** True if a client certificate was shown. */
  readonly identified?: boolean
  /** Names of the authorities that were given to be trusted, if any were. */
  readonly given?: () => readonly string[]
}

export const UNKNOWN_CA: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Other codes of Node's TLS for a certificate that it refuses: capitals, and UNSPECIFIED for codes that only OpenSSL knows.
 * Codes of the system (ENOENT), of Node (ERR_) and of undici have another form.
 */
const REFUSED = /^(?!E[A-Z0-9]+$|ERR_|UND_|HPE_|PROXY_)[A-Z][A-Z0-9_]+$/
/** OpenSSL's reasons that no other trusted authority mends. */
const ISSUED_BADLY =
  /too (?:weak|small)|unsupported|critical|purpose|keycertsign|key usage|permitted|excluded|name constraint|invalid ca|path length/i

const NOT_TLS =
  /wrong.version.number|packet.length.too.long|http.request|unknown.protocol|record.layer.failure/i
const WANTS_CERTIFICATE = /certificate.required/i
export const HANDSHAKE = /handshake.failure|no.shared.cipher|insufficient.security/i
const UNKNOWN_NAME = /unrecognized.name/i
/** A server's answer with TLS 1.2 if it got no client certificate. */
const NO_CERTIFICATE = /alert.bad.certificate/i
const REFUSES_CERTIFICATE =
  /alert.(?:bad.certificate|certificate.(?:unknown|expired|revoked)|unknown.ca|access.denied)/i
const VERSION = /unsupported.protocol|protocol.version|no.protocols.available/i

/** Returns the error of a TLS handshake; undefined for another failure. */
export function tlsError(error: unknown, peer: TlsPeer): MirrorError | undefined {
  const {code, place, side} = peer
  const make = (kind: ErrorCode, message: string, advice?: Advice): MirrorError =>
    new MirrorError(kind, message, {side, advice, cause: error})

  if (UNKNOWN_CA.has(code)) return untrusted(error, peer)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = certificateNames(error)
    return make(
      'TLS_UNTRUSTED',
      `the certificate of ${place} is for other names${names === undefined ? '' : `: ${names}`}`,
      {kind: 'use-certificate-name'},
    )
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const state = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'
    return make('TLS_UNTRUSTED', `the certificate of ${place} ${state}`, {kind: 'check-clock'})
  }
  if (REFUSED.test(code)) {
    const reason = excerpt(messageOf(error), 200)
    return make('TLS_UNTRUSTED', `the certificate of ${place} is not accepted: ${reason}`, {
      kind: ISSUED_BADLY.test(`${code.replaceAll('_', ' ')} ${reason}`)
        ? 'reissue-certificate'
        : 'trust-authority-if-right',
    })
  }
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_')) return undefined
  const text = `${code} ${messageOf(error)}`
  if (NOT_TLS.test(text)) {
    return make('TLS_NOT_SPOKEN', `${place} does not speak TLS`, {kind: 'use-plain-http'})
  }
  if (UNKNOWN_NAME.test(text)) {
    return make('TLS_FAILED', `${place} knows no certificate for that name: TLS alert unrecognized name`, {
      kind: 'use-certificate-name',
    })
  }
  if (NO_CERTIFICATE.test(text) && peer.identified !== true) {
    return make('TLS_FAILED', `${place} wants a client certificate`, {kind: 'give-client-certificate'})
  }
  if (REFUSES_CERTIFICATE.test(text)) {
    return make('TLS_FAILED', `${place} does not accept the client certificate`, {
      kind: 'check-client-certificate',
    })
  }
  const isLate = error instanceof Error && 'isLate' in error && error.isLate === true
  if (WANTS_CERTIFICATE.test(text) || (HANDSHAKE.test(text) && isLate && peer.identified !== true)) {
    return make(
      'TLS_FAILED',
      `${place} ended the TLS handshake, as one does that wants a client certificate`,
      {kind: 'give-client-certificate'},
    )
  }
  if (HANDSHAKE.test(text)) {
    return make(
      'TLS_FAILED',
      `${place} refuses the TLS handshake: it shares no cipher with this program, or no settings`,
      {
        kind: 'check-handshake',
      },
    )
  }
  if (VERSION.test(text)) {
    return make('TLS_FAILED', `${place} offers no version of TLS that is still safe`, {kind: 'switch-on-tls'})
  }
  return make('TLS_FAILED', `TLS with ${place} fails: ${excerpt(code, 80)}`)
}

function untrusted(error: unknown, {place, side, ...peer}: TlsPeer): MirrorError {
  const given = peer.given?.() ?? []
  const shown = error instanceof Error && 'shown' in error ? (error.shown as ShownCertificate) : undefined
  const [subject, issuer] = [shown?.subject, shown?.issuer]
  const which = subject === undefined ? '' : ` (${subject})`
  const signer =
    issuer === undefined
      ? 'signed by an authority that is not trusted here'
      : issuer === subject
        ? 'signed by itself and not trusted here'
        : `signed by an authority that is not trusted here (${issuer})`
  const other =
    shown !== undefined && given.includes(shown.authority) ? 'another one of that name' : 'another'
  const but = given.length === 0 ? '' : `, and the given CA file holds ${other}: ${given.join(' and ')}`
  return new MirrorError('TLS_UNTRUSTED', `the certificate of ${place}${which} is ${signer}${but}`, {
    side,
    advice:
      given.length > 0 && shown !== undefined
        ? {kind: 'trust-shown-authority', authority: shown.authority}
        : {kind: 'trust-authority'},
    cause: error,
  })
}

/**
 * Returns the error for a 400 caused by mixing TLS and plain HTTP, or by a missing client certificate, as Go and nginx
 * word it. Undefined for other texts.
 */
export function misunderstoodError(
  text: string,
  {origin, side}: {readonly origin: string; readonly side: Side},
): MirrorError | undefined {
  const {host} = new URL(origin)
  if (/HTTP request (?:to an HTTPS server|was sent to HTTPS port)/i.test(text)) {
    return new MirrorError('PROTOCOL', `${host} speaks HTTPS, and was spoken to in plain HTTP`, {
      side,
      advice: {kind: 'use-https'},
    })
  }
  if (/required SSL certificate was (?:not )?sent|SSL certificate error/i.test(text)) {
    return new MirrorError('TLS_FAILED', `${host} wants a client certificate`, {
      side,
      advice: {kind: 'give-client-certificate'},
    })
  }
  return undefined
}

function certificateNames(error: unknown): string | undefined {
  const cert: unknown = error instanceof Error && 'cert' in error ? error.cert : undefined
  if (typeof cert !== 'object' || cert === null || !('subjectaltname' in cert)) return undefined
  return typeof cert.subjectaltname === 'string' ? excerpt(cert.subjectaltname, 200) : undefined
}
