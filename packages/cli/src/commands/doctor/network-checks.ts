import {lookup} from 'node:dns/promises'
import {once} from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import {messageOf} from '@airgap-mirror/oci-client/model'
import type {Finding} from './finding.js'

export interface Address {
  readonly host: string
  readonly port: number
}

const WAIT = 10_000
const SOON = 30 * 86_400_000

/** Returns the host and port of an origin. */
export function addressOf(origin: string): Address {
  const {protocol, hostname, port} = new URL(origin)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  }
}

export async function checkName({host}: Address): Promise<Finding> {
  const check = 'name'
  if (net.isIP(host) !== 0) return {check, status: 'ok', text: `${host} is an address`}
  try {
    const found = await lookup(host, {all: true})
    return {check, status: 'ok', text: `${host} is ${found.map(({address}) => address).join(', ')}`}
  } catch (error) {
    return {
      check,
      status: 'problem',
      text: `${host} is not known: ${messageOf(error)}`,
      hint: 'Check the spelling, /etc/hosts and the DNS server of this machine.',
    }
  }
}

export async function checkConnection({host, port}: Address): Promise<Finding> {
  const check = 'connection'
  const socket = net.connect({host, port, timeout: WAIT})
  try {
    await opened(socket, 'connect')
    return {
      check,
      status: 'ok',
      text: `${host} port ${port} takes connections, at ${socket.remoteAddress ?? 'an address'}`,
    }
  } catch (error) {
    return {
      check,
      status: 'problem',
      text: `${host} port ${port} takes no connection: ${messageOf(error)}`,
      hint: 'Check that the registry runs, the port, and the firewall between.',
    }
  } finally {
    socket.destroy()
  }
}

/** Looks at the certificate alone: the registry check decides if it is trusted, with the roots that a push has. */
export async function checkCertificate({host, port}: Address, now = new Date()): Promise<Finding> {
  const check = 'certificate'
  const servername = net.isIP(host) === 0 ? host : undefined
  const socket = tls.connect({host, port, servername, rejectUnauthorized: false, timeout: WAIT})
  try {
    await opened(socket, 'secureConnect')
    return certificateFinding(socket.getPeerX509Certificate(), {host, now})
  } catch (error) {
    return {
      check,
      status: 'problem',
      text: `no TLS with ${host} port ${port}: ${messageOf(error)}`,
      hint: 'If the registry speaks plain HTTP, give --plain-http.',
    }
  } finally {
    socket.destroy()
  }
}

type Certificate = ReturnType<tls.TLSSocket['getPeerX509Certificate']>

function certificateFinding(
  certificate: Certificate,
  {host, now}: {readonly host: string; readonly now: Date},
): Finding {
  const check = 'certificate'
  if (certificate === undefined) return {check, status: 'problem', text: 'the server shows no certificate'}
  const {subject, issuer, subjectAltName, validFrom, validTo} = certificate
  const told = `${oneLine(subject)}, by ${oneLine(issuer)}, until ${validTo}`
  const fits = net.isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)
  if (fits === undefined) {
    return {
      check,
      status: 'problem',
      text: `${told}: it is for ${subjectAltName ?? 'no name'}, not for ${host}`,
      hint: 'Use a name that the certificate has, or give the registry a certificate for this one.',
    }
  }
  const left = Date.parse(validTo) - now.getTime()
  if (left < 0 || Date.parse(validFrom) > now.getTime()) {
    return {
      check,
      status: 'problem',
      text: `${told}: it is valid from ${validFrom}, and this machine's clock says ${now.toISOString()}`,
      hint: 'Check the clock of this machine, then renew the certificate.',
    }
  }
  if (left < SOON) {
    return {
      check,
      status: 'note',
      text: `${told}: it ends within a month`,
      hint: 'Renew the certificate in time.',
    }
  }
  return {check, status: 'ok', text: told}
}

function oneLine(name: string | undefined): string {
  return (name ?? 'nobody').split('\n').join(', ')
}

/** @throws the socket's error, or one that says that it took too long */
async function opened(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  socket.once('timeout', () => socket.destroy(new Error(`no answer within ${WAIT / 1000} s`)))
  await once(socket, event)
}
