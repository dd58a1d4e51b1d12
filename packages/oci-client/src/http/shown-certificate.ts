import {X509Certificate} from 'node:crypto'
import type {Socket} from 'node:net'
import {connect as connectTls, type DetailedPeerCertificate} from 'node:tls'
import {excerpt} from './excerpt.js'

/** A certificate that a server showed, as names like `CN=registry.example, O=Example`. */
export interface ShownCertificate {
  readonly subject: string
  readonly issuer: string
  /** The authority that signed the last certificate of the server's chain. */
  readonly authority: string
}

/** Milliseconds: it only makes a message better. */
const WAIT = 3000
const LONGEST_CHAIN = 10
const LONGEST_NAME = 120

/**
 * Returns the certificate that a server shows on a socket, without trusting it: nothing is sent after the handshake.
 * Undefined if the handshake does not come to it.
 */
export function shownCertificate(
  socket: Socket,
  {servername}: {readonly servername: string},
): Promise<ShownCertificate | undefined> {
  return new Promise((resolve) => {
    const secure = connectTls({socket, servername, rejectUnauthorized: false})
    const end = (): void => {
      clearTimeout(timer)
      resolve(described(secure.getPeerCertificate(true)))
      secure.destroy()
      socket.destroy()
    }
    const timer = setTimeout(end, WAIT)
    socket.once('error', end)
    secure.once('error', end).once('secureConnect', end).once('close', end)
  })
}

/** The subject of a certificate in PEM; undefined if it cannot be read. */
export function subjectOf(pem: string): string | undefined {
  try {
    return nameOf(new X509Certificate(pem).subject)
  } catch {
    return undefined
  }
}

function described(shown: DetailedPeerCertificate | undefined): ShownCertificate | undefined {
  // Without a handshake it is null or an empty object, although the types say otherwise.
  if (shown?.raw === undefined) return undefined
  try {
    let last = shown
    for (let length = 1; length < LONGEST_CHAIN; length++) {
      const above = last.issuerCertificate as DetailedPeerCertificate | undefined
      if (above?.raw === undefined || above.raw.equals(last.raw)) break
      last = above
    }
    const own = new X509Certificate(shown.raw)
    return {
      subject: nameOf(own.subject),
      issuer: nameOf(own.issuer),
      authority: nameOf(new X509Certificate(last.raw).issuer),
    }
  } catch {
    return undefined
  }
}

/** Node writes one part of a name a line. */
function nameOf(lines: string | undefined): string {
  return excerpt((lines ?? '').split('\n').join(', '), LONGEST_NAME) || 'no name'
}
