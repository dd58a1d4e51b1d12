import {createPrivateKey, X509Certificate} from 'node:crypto'
import {readFileSync, statSync} from 'node:fs'
import * as tls from 'node:tls'
import {limits, MirrorError, type Advice} from '../model/index.js'
import type {TlsOptions} from './options.js'

export interface SecureContexts {
  /** Returns the context for a host. The client's certificate is shown to the registry's own origin alone. */
  forOrigin(origin: string): tls.SecureContext
}

/** Certificates trusted by the administrator on Debian, Fedora, SUSE, Alpine and macOS. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'

/**
 * Checks the options at once. Builds each context when first needed and shares it, because reading some 300 roots takes
 * tens of milliseconds.
 * @throws {MirrorError} CERTIFICATE_INVALID
 */
export function createSecureContexts(options: TlsOptions, registryOrigin: string): SecureContexts {
  const own = (options.ca ?? []).flatMap(certificatesIn)
  const ofHost = (options.hostCa ?? []).flatMap(certificatesIn)
  const identity = readIdentity(options)
  const roots = once(() => trustedRoots(own, options.extraCa ?? ''))
  // Any certificate that is given is an anchor, as in other tools: an issuing authority or the server's own suffices.
  const anchors = {allowPartialTrustChain: true}
  const plain = once(() => tls.createSecureContext({...anchors, ca: roots()}))
  const ofRegistry = once(() =>
    tls.createSecureContext({...anchors, ca: [...roots(), ...ofHost], ...identity}),
  )
  const differs = identity !== undefined || ofHost.length > 0
  return {forOrigin: (origin) => (differs && origin === registryOrigin ? ofRegistry() : plain())}
}

/**
 * Returns the certificates of a CA file, each checked.
 * @throws {MirrorError} CERTIFICATE_INVALID
 */
export function certificatesIn(pem: string): readonly string[] {
  return splitCertificates(pem, {what: 'the CA file', binary: 'convert-der'})
}

/**
 * Returns the certificates of a PEM text, each checked.
 * @throws {MirrorError} CERTIFICATE_INVALID if there is none, or if any is damaged
 */
function splitCertificates(
  pem: string,
  {what, binary}: {readonly what: string; readonly binary: 'convert-der' | 'convert-pkcs12'},
): readonly string[] {
  if (pem.length > limits.certificateBytes) {
    throw invalid(`${what} is over the limit of ${limits.certificateBytes} bytes`)
  }
  const blocks = pemBlocks(pem)
  if (blocks.length === 0) {
    throw invalid(`${what} holds no certificate in PEM`, {advice: {kind: isBinary(pem) ? binary : 'use-pem'}})
  }
  for (const [index, block] of blocks.entries()) {
    readCertificate(block, `certificate ${index + 1} of ${what}`)
  }
  return blocks
}

/** Returns true if the text looks like DER: a certificate or a PKCS#12 file. */
function isBinary(text: string): boolean {
  return text.startsWith('0') && text.includes('\ufffd')
}

function readCertificate(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw invalid(`${what} cannot be read`, {cause})
  }
}

/** Returns the certificates in a text, as PEM; the last may be cut short. */
export function pemBlocks(pem: string): string[] {
  const blocks: string[] = []
  for (let end = 0; ;) {
    const begin = pem.indexOf(BEGIN, end)
    if (begin < 0) return blocks
    const stop = pem.indexOf(END, begin)
    if (stop < 0) return [...blocks, pem.slice(begin)]
    end = stop + END.length
    blocks.push(pem.slice(begin, end))
  }
}

/**
 * Returns the client's certificate with its key, both checked; undefined if neither is given.
 * @throws {MirrorError} CERTIFICATE_INVALID
 */
export function readIdentity({
  clientCert,
  clientKey,
}: Pick<TlsOptions, 'clientCert' | 'clientKey'>): {cert: string; key: string} | undefined {
  if (clientCert === undefined && clientKey === undefined) return undefined
  if (clientCert === undefined) throw invalid('a client key is given without its certificate')
  if (clientKey === undefined) throw invalid('a client certificate is given without its key')
  const [own] = splitCertificates(clientCert, {
    what: 'the client certificate file',
    binary: 'convert-pkcs12',
  })
  let fits: boolean
  try {
    fits = new X509Certificate(own ?? '').checkPrivateKey(createPrivateKey(clientKey))
  } catch (cause) {
    throw invalid('the client key cannot be read', {
      cause,
      advice: {kind: isBinary(clientKey) ? 'convert-pkcs12' : 'use-plain-key'},
    })
  }
  if (!fits) throw invalid('the client key does not belong to the client certificate')
  return {cert: clientCert, key: clientKey}
}

function trustedRoots(own: readonly string[], extraCa: string): string[] {
  const roots = new Set([...nodeRoots(), ...pemBlocks(systemBundle()), ...own])
  for (const block of pemBlocks(extraCa)) {
    // Often this is the system's bundle again, which is already checked.
    if (!roots.has(block) && isReadable(block)) roots.add(block)
  }
  return [...roots]
}

function isReadable(pem: string): boolean {
  try {
    return Boolean(new X509Certificate(pem))
  } catch {
    return false
  }
}

/** Since Node 22.15 the result includes NODE_EXTRA_CA_CERTS. Before, the program has to pass that file as `extraCa`. */
function nodeRoots(): readonly string[] {
  return 'getCACertificates' in tls && typeof tls.getCACertificates === 'function'
    ? (tls.getCACertificates('default') as string[])
    : tls.rootCertificates
}

function systemBundle(): string {
  for (const path of SYSTEM_BUNDLES) {
    const stats = statSync(path, {throwIfNoEntry: false})
    if (stats?.isFile() === true && stats.size <= limits.certificateBytes) return readFileSync(path, 'latin1')
  }
  return ''
}

function once<T>(make: () => T): () => T {
  let made: {readonly value: T} | undefined
  return () => (made ??= {value: make()}).value
}

function invalid(
  message: string,
  options: {readonly advice?: Advice; readonly cause?: unknown} = {},
): MirrorError {
  return new MirrorError('CERTIFICATE_INVALID', message, options)
}
