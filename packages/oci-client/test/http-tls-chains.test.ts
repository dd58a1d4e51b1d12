import {execFileSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, describe, expect, test} from 'vitest'
import {createTransport} from '#src/http/undici.js'
import type {TlsOptions} from '#src/http/options.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper} from './http-loopback.js'

const directory = mkdtempSync(join(tmpdir(), 'oci-client-chains-'))
const {kept, closeAll} = keeper()
afterEach(closeAll)
afterAll(() => rmSync(directory, {recursive: true, force: true}))

function file(name: string): string {
  return join(directory, name)
}

function read(name: string): string {
  return readFileSync(file(name), 'utf8')
}

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], {stdio: 'pipe'})
    return true
  } catch (error) {
    if (process.env['CI'] === undefined) return false
    throw error
  }
})()

/** A key and a certificate; signed by itself, or by `by`. */
function issue(
  name: string,
  options: {readonly by?: string; readonly extensions: string; readonly digest?: string},
): void {
  const {by, extensions, digest = 'sha256'} = options
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, {stdio: 'pipe'})
  }
  writeFileSync(file(`${name}.ext`), extensions)
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`)]
  openssl('req', ...key, '-subj', `/CN=${name}`, '-out', file(`${name}.csr`))
  const signer =
    by === undefined
      ? ['-signkey', file(`${name}.key`)]
      : ['-CA', file(`${by}.pem`), '-CAkey', file(`${by}.key`), '-CAcreateserial']
  const common = [
    '-req',
    '-in',
    file(`${name}.csr`),
    '-days',
    '2',
    `-${digest}`,
    '-extfile',
    file(`${name}.ext`),
  ]
  openssl('x509', ...common, ...signer, '-out', file(`${name}.pem`))
}

const CA = 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign'
const LEAF = 'basicConstraints=CA:false\nsubjectAltName=IP:127.0.0.1'

async function failureWith(
  leaf: string,
  tls: TlsOptions,
  chain: readonly string[] = [leaf],
): Promise<unknown> {
  const server = kept(
    await startScripted(
      {'*': {body: 'ok'}},
      {
        tls: {
          cert: chain.map((name) => read(`${name}.pem`)).join('\n'),
          key: read(`${leaf}.key`),
          // else OpenSSL would not even present a certificate with SHA-1
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
      },
    ),
  )
  const registry = `127.0.0.1:${server.port}`
  const transport = kept(createTransport({registry, side: 'target', tls}))
  const answer = transport.send(get(`https://${registry}`))
  try {
    return Buffer.from(await (await answer).read(10)).toString()
  } catch (error) {
    return error
  }
}

describe.skipIf(!hasOpenssl)('certificates (needs the openssl program)', () => {
  if (!hasOpenssl) return
  issue('root', {extensions: CA})
  issue('issuing', {by: 'root', extensions: CA})
  issue('leaf', {by: 'issuing', extensions: LEAF})

  test.each(['root', 'issuing', 'leaf'])(
    'of a chain are all trusted by the one of %s alone',
    async (anchor) => {
      expect(await failureWith('leaf', {ca: [read(`${anchor}.pem`)]}, ['leaf', 'issuing'])).toBe('ok')
    },
  )

  test('that are signed by another authority stay untrusted', async () => {
    issue('other', {extensions: CA})
    expect(await failureWith('leaf', {ca: [read('other.pem')]}, ['leaf', 'issuing'])).toMatchObject({
      code: 'TLS_UNTRUSTED',
    })
  })

  test.each<[string, string, string, string | undefined]>([
    [
      'an authority that may not sign',
      'basicConstraints=critical,CA:true\nkeyUsage=critical,digitalSignature',
      LEAF,
      undefined,
    ],
    [
      'a name that its authority may not issue',
      `${CA}\nnameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0`,
      LEAF,
      undefined,
    ],
    ['an unknown critical extension', CA, `${LEAF}\n1.2.3.4.5=critical,ASN1:UTF8String:x`, undefined],
    ['a signature with SHA-1', CA, LEAF, 'sha1'],
    ['an authority that is none', 'basicConstraints=critical,CA:false', LEAF, undefined],
  ])('with %s are refused in the words of OpenSSL', async (what, authority, leaf, digest) => {
    const name = what.replaceAll(/\W/g, '')
    issue(`${name}ca`, {extensions: authority})
    issue(name, {by: `${name}ca`, extensions: leaf, digest})
    const failure = await failureWith(name, {ca: [read(`${name}ca.pem`)]})
    expect(failure).toMatchObject({code: 'TLS_UNTRUSTED', side: 'target'})
    expect((failure as Error).message).toContain('is not accepted')
  })

  test('are not told as missing to a server that shares no cipher', async () => {
    const server = kept(
      await startScripted(
        {'*': {body: 'ok'}},
        {
          tls: {
            cert: read('leaf.pem'),
            key: read('leaf.key'),
            maxVersion: 'TLSv1.2',
            ciphers: 'NULL-SHA256:@SECLEVEL=0',
          },
        },
      ),
    )
    const registry = `127.0.0.1:${server.port}`
    const transport = kept(createTransport({registry, side: 'target', tls: {ca: [read('root.pem')]}}))
    const failure = await failureOf(transport.send(get(`https://${registry}`)))
    expect(failure).toMatchObject({code: 'TLS_FAILED', advice: {kind: 'check-handshake'}})
    expect(failure.message).not.toContain('client certificate')
  })

  test.each([
    ['ca', 'convert-der'],
    ['clientCert', 'convert-pkcs12'],
  ] as const)('in binary form given as %s are told how to convert', (option, kind) => {
    execFileSync('openssl', ['x509', '-in', file('leaf.pem'), '-outform', 'DER', '-out', file('leaf.der')], {
      stdio: 'pipe',
    })
    const text = read('leaf.der')
    const tls = option === 'ca' ? {ca: [text]} : {clientCert: text, clientKey: read('leaf.key')}
    expect(() => createTransport({registry: 'r.invalid', side: 'target', tls})).toThrow(
      expect.objectContaining({code: 'CERTIFICATE_INVALID', advice: {kind}}) as Error,
    )
  })
})
