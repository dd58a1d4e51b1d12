import 'reflect-metadata'
import {webcrypto} from 'node:crypto'
import {isIP} from 'node:net'
import * as x509 from '@peculiar/x509'

export interface KeyPair {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface Authority {
  /** The authority's own certificate, PEM. */
  readonly ca: string
  /** A server's certificate for these names and addresses. */
  issue(options: {readonly hosts: readonly string[]; readonly expired?: boolean}): Promise<KeyPair>
  issueClient(options: {readonly name: string}): Promise<KeyPair>
}

const ALGORITHM = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const
const HOUR = 3_600_000
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** A private certificate authority, made for one test run; needs nothing but Node. */
export async function makeAuthority(name = 'mirror test authority'): Promise<Authority> {
  const keys = await generateKeys()
  const subject = `CN=${name}`
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity({expired: false}),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const issue = async (options: {
    readonly subject: string
    readonly expired: boolean
    readonly extensions: readonly x509.Extension[]
  }): Promise<KeyPair> => {
    const own = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      subject: options.subject,
      issuer: subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(options),
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...options.extensions,
      ],
    })
    const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey)
    return {
      cert: `${certificate.toString('pem')}\n`,
      key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
    }
  }
  return {
    ca: `${root.toString('pem')}\n`,
    issue: ({hosts, expired = false}) =>
      issue({
        subject: `CN=${hosts[0] ?? 'localhost'}`,
        expired,
        extensions: [
          new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
          new x509.SubjectAlternativeNameExtension(
            hosts.map((value) => ({type: isIP(value) === 0 ? 'dns' : 'ip', value})),
          ),
        ],
      }),
    issueClient: ({name}) =>
      issue({
        subject: `CN=${name}`,
        expired: false,
        extensions: [new x509.ExtendedKeyUsageExtension([CLIENT_AUTH])],
      }),
  }
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function validity({expired}: {readonly expired: boolean}): {
  readonly notBefore: Date
  readonly notAfter: Date
} {
  const now = Date.now()
  return {
    notBefore: new Date(now - 48 * HOUR),
    notAfter: new Date(expired ? now - 24 * HOUR : now + 30 * 24 * HOUR),
  }
}
