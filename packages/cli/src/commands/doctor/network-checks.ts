import {lookup} from 'node:dns/promises'
import {once} from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import {cancelled, messageOf} from '@airgap-mirror/oci-client/model'
import type {Finding} from './finding.js'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface NetworkOptions {
  readonly signal: AbortSignal
  /** PEM texts of the client's certificate and key, which a server may demand. */
  readonly identity?: {readonly clientCert?: string; readonly clientKey?: string}
  /** The clock to hold the certificate's dates against. */
  readonly now?: Date
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

/** The ways to a registry: the addresses that its name stands for, with the findings of the checks. */
export interface Ways {
  readonly findings: readonly Finding[]
  /** True if no further check can get an answer. */
  readonly isEnd: boolean
}

/** Looks at the name, the connection to each address and, with TLS, the certificate. */
export async function checkNetwork(origin: string, options: NetworkOptions): Promise<Ways> {
  const address = addressOf(origin)
  const {finding, addresses} = await checkName(address)
  if (addresses.length === 0) return {findings: [finding], isEnd: true}
  const connection = await checkConnection(address, addresses, options)
  if (options.signal.aborted) throw cancelled(options.signal)
  const findings = [finding, connection]
  if (connection.status === 'problem' || !origin.startsWith('https:'))
    return {findings, isEnd: connection.status === 'problem'}
  const certificate = await checkCertificate(address, options)
  if (options.signal.aborted) throw cancelled(options.signal)
  return {findings: [...findings, certificate.finding], isEnd: certificate.isEnd}
}

async function checkName({
  host,
}: Address): Promise<{readonly finding: Finding; readonly addresses: readonly string[]}> {
  const check = 'name'
  if (net.isIP(host) !== 0)
    return {finding: {check, status: 'ok', text: `${host} is an address`}, addresses: [host]}
  try {
    const addresses = (await lookup(host, {all: true})).map(({address}) => address)
    return {finding: {check, status: 'ok', text: `${host} is ${addresses.join(', ')}`}, addresses}
  } catch (error) {
    const finding = {
      check,
      status: 'problem',
      text: `${host} is not known: ${messageOf(error)}`,
      hint: 'Check the spelling, /etc/hosts and the DNS server of this machine.',
    } as const
    return {finding, addresses: []}
  }
}

/** Tries every address, because a client may choose any of them. */
export async function checkConnection(
  {host, port}: Address,
  addresses: readonly string[],
  {signal}: NetworkOptions,
): Promise<Finding> {
  const check = 'connection'
  const tried = await Promise.all(
    addresses.map(async (address) => ({address, reason: await refusalOf(address, {port, signal})})),
  )
  const open = tried.filter(({reason}) => reason === undefined).map(({address}) => address)
  const reasons = tried.flatMap(({address, reason}) =>
    reason === undefined ? [] : [`${address}: ${reason}`],
  )
  if (open.length === 0) {
    return {
      check,
      status: 'problem',
      text: `${host} port ${port} takes no connection: ${reasons.join('; ')}`,
      hint: 'Check that the registry runs, the port, and the firewall between.',
    }
  }
  const text = `${host} port ${port} takes connections, at ${open.join(', ')}`
  if (reasons.length === 0) return {check, status: 'ok', text}
  return {
    check,
    status: 'note',
    text: `${text}; not at ${reasons.join('; ')}`,
    hint: 'Take the addresses that do not answer out of the DNS: connections may try them first.',
  }
}

/** Returns the reason why an address takes no connection; undefined if it does. */
async function refusalOf(
  host: string,
  {port, signal}: {readonly port: number; readonly signal: AbortSignal},
): Promise<string | undefined> {
  const socket = net.connect({host, port, timeout: WAIT})
  try {
    await opened(socket, 'connect', signal)
    return undefined
  } catch (error) {
    return messageOf(error)
  } finally {
    socket.destroy()
  }
}

/** Looks at the certificate alone: the registry check decides if it is trusted, with the roots that a push has. */
async function checkCertificate(
  {host, port}: Address,
  {signal, identity, now = new Date()}: NetworkOptions,
): Promise<{readonly finding: Finding; readonly isEnd: boolean}> {
  const check = 'certificate'
  const servername = net.isIP(host) === 0 ? host : undefined
  const socket = tls.connect({
    host,
    port,
    servername,
    rejectUnauthorized: false,
    timeout: WAIT,
    cert: identity?.clientCert,
    key: identity?.clientKey,
  })
  try {
    await opened(socket, 'secureConnect', signal)
    return {finding: certificateFinding(socket.getPeerX509Certificate(), {host, now}), isEnd: false}
  } catch (error) {
    const finding = {
      check,
      status: 'problem',
      text: `no TLS with ${host} port ${port}: ${messageOf(error)}`,
      hint: 'If the registry speaks plain HTTP, give --plain-http.',
    } as const
    // A request would wait just as long.
    return {finding, isEnd: error instanceof Silence}
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

/** Thrown if nothing came within the time. */
class Silence extends Error {
  constructor() {
    super(`no answer within ${WAIT / 1000} s`)
  }
}

/** @throws the socket's error, `Silence`, the signal's reason */
async function opened(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  socket.once('timeout', () => socket.destroy(new Silence()))
  await once(socket, event, {signal})
}
