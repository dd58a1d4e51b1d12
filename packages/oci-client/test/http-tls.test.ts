import {spawn, type ChildProcess} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {rootCertificates, type TLSSocket} from 'node:tls'
import {afterAll, afterEach, describe, expect, test} from 'vitest'
import {createTransport, type Transport} from '#src/http/undici.js'
import {isTransient} from '#src/http/transport-error.js'
import {createSecureContexts} from '#src/http/tls.js'
import type {MirrorError} from '#src/model/index.js'
import type {TransportOptions, TlsOptions} from '#src/http/options.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper, makeAuthority} from './http-loopback.js'

const authority = makeAuthority()
const stranger = makeAuthority()
const {kept, closeAll} = keeper()
afterEach(closeAll)
afterAll(() => {
  authority?.dispose()
  stranger?.dispose()
})

function transportTo(registry: string, tls?: TlsOptions, rest: Partial<TransportOptions> = {}): Transport {
  return kept(createTransport({registry, side: 'target', tls, ...rest}))
}

async function ask(transport: Transport, origin: string): Promise<string> {
  const response = await transport.send(get(origin))
  return `${response.status} ${Buffer.from(await response.read(1000)).toString()}`
}

describe.skipIf(authority === undefined || stranger === undefined)('TLS (needs the openssl program)', () => {
  if (authority === undefined || stranger === undefined) return
  const own = authority.issue({names: 'IP:127.0.0.1,DNS:localhost'})
  const client = authority.issue({names: 'DNS:client'})

  test('an unknown authority is refused, with advice to trust it', async () => {
    const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: own}))
    const registry = `127.0.0.1:${server.port}`
    const error = await failureOf(transportTo(registry).send(get(`https://${registry}`)))
    expect(error.code).toBe('TLS_UNTRUSTED')
    expect(error.advice).toEqual({kind: 'trust-authority'})
    expect(error.message).toContain(registry)
    expect(isTransient(error)).toBe(false)
    const source = transportTo(registry, undefined, {side: 'source'})
    const other = await failureOf(source.send(get(`https://${registry}`)))
    expect(other.side).toBe('source')
  })

  test('a certificate that is not trusted is told with its signer, and what the given file holds instead', async () => {
    const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: own}))
    const registry = `127.0.0.1:${server.port}`
    const {cert: other} = stranger.issue({names: 'DNS:other'})
    const failure = async (ca?: string) =>
      failureOf(transportTo(registry, ca === undefined ? {} : {ca: [ca]}).send(get(`https://${registry}`)))
    expect(await failure()).toMatchObject({
      message: `the certificate of ${registry} (CN=leaf1) is signed by an authority that is not trusted here (CN=authority)`,
      advice: {kind: 'trust-authority'},
    })
    expect(await failure(other)).toMatchObject({
      message: `the certificate of ${registry} (CN=leaf1) is signed by an authority that is not trusted here (CN=authority), and the given CA file holds another: CN=leaf1`,
      advice: {kind: 'trust-shown-authority', authority: 'CN=authority'},
    })
  })

  test('an authority with the name of the right one and another key is told apart', async () => {
    const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: own}))
    const registry = `127.0.0.1:${server.port}`
    const failure = await failureOf(
      transportTo(registry, {ca: [stranger.cert]}).send(get(`https://${registry}`)),
    )
    expect(failure.code).toBe('TLS_UNTRUSTED')
    expect(failure.message).toMatch(/another one of that name: CN=authority$|not accepted/)
  })

  test('a certificate that signs itself is told as such', async () => {
    const server = kept(await startScripted({'*': {}}, {tls: {cert: authority.cert, key: authority.key}}))
    const registry = `127.0.0.1:${server.port}`
    const failure = await failureOf(transportTo(registry).send(get(`https://${registry}`)))
    expect(failure.message).toBe(
      `the certificate of ${registry} (CN=authority) is signed by itself and not trusted here`,
    )
  })

  test.each([
    ['an address', '127.0.0.1'],
    ['a name', 'localhost'],
  ])('a given authority is trusted, for %s', async (_name, host) => {
    let sent: string | false | null | undefined
    const server = kept(
      await startScripted(
        ({socket}) => {
          sent = (socket as TLSSocket & {servername?: string | false | null}).servername
          return {body: 'hello'}
        },
        {tls: own},
      ),
    )
    const registry = `${host}:${server.port}`
    const bundle = `# a comment\n${stranger.cert}\n${authority.cert}`
    expect(await ask(transportTo(registry, {ca: [bundle]}), `https://${registry}`)).toBe('200 hello')
    expect(sent || undefined).toBe(host === 'localhost' ? 'localhost' : undefined)
  })

  test('an extra authority is trusted, whatever else its file holds', async () => {
    const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: own}))
    const registry = `localhost:${server.port}`
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
    const extraCa = `${damaged}\n${authority.cert}\n-----BEGIN CERTIFICATE-----`
    expect(await ask(transportTo(registry, {extraCa}), `https://${registry}`)).toBe('200 hello')
  })

  test('a certificate for other names is refused, naming them', async () => {
    const wrong = authority.issue({names: 'DNS:registry.example,IP:10.9.8.7'})
    const server = kept(await startScripted({'*': {}}, {tls: wrong}))
    for (const host of ['127.0.0.1', 'localhost']) {
      const registry = `${host}:${server.port}`
      const transport = transportTo(registry, {ca: [authority.cert]})
      const error = await failureOf(transport.send(get(`https://${registry}`)))
      expect(error.code).toBe('TLS_UNTRUSTED')
      expect(error.message).toContain('registry.example')
      expect(error.message).toContain('10.9.8.7')
      // A second time, since undici keeps its connections apart by name.
      expect((await failureOf(transport.send(get(`https://${registry}`)))).code).toBe('TLS_UNTRUSTED')
    }
  })

  test('an expired certificate is refused, with advice to look at the clock', async () => {
    const expired = authority.issue({names: 'IP:127.0.0.1', expired: true})
    const server = kept(await startScripted({'*': {}}, {tls: expired}))
    const registry = `127.0.0.1:${server.port}`
    const error = await failureOf(
      transportTo(registry, {ca: [authority.cert]}).send(get(`https://${registry}`)),
    )
    expect(error.code).toBe('TLS_UNTRUSTED')
    expect(error.message).toContain('has expired')
    expect(error.advice).toEqual({kind: 'check-clock'})
  })

  test('insecureSkipVerify takes any certificate', async () => {
    const wrong = stranger.issue({names: 'DNS:registry.example'})
    const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: wrong}))
    const registry = `127.0.0.1:${server.port}`
    expect(await ask(transportTo(registry, {insecureSkipVerify: true}), `https://${registry}`)).toBe(
      '200 hello',
    )
  })

  test('a client certificate is shown to the registry, and to no other host', async () => {
    const options = {...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false}
    const server = kept(
      await startScripted(
        ({socket}) => ({body: String((socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody')}),
        {tls: options},
      ),
    )
    const registry = `127.0.0.1:${server.port}`
    const tls = {ca: [authority.cert], clientCert: client.cert, clientKey: client.key}
    const transport = transportTo(registry, tls)
    expect(await ask(transport, `https://${registry}`)).toMatch(/^200 leaf/)
    expect(await ask(transport, `https://localhost:${server.port}`)).toBe('200 nobody')
  })

  test.each([['-tls1_2'], ['-tls1_3']])(
    'a server that wants a client certificate, and one that does not accept it, with %s',
    async (version) => {
      const server = kept(await opensslServer(own, authority.cert, version))
      const registry = `127.0.0.1:${server.port}`
      const without = transportTo(registry, {ca: [authority.cert]})
      const wanted = await lastFailureOf(() => without.send(get(`https://${registry}`)))
      expect(wanted.code).toBe('TLS_FAILED')
      expect(wanted.advice).toEqual({kind: 'give-client-certificate'})
      const foreign = stranger.issue({names: 'DNS:foreign'})
      const other = transportTo(registry, {
        ca: [authority.cert],
        clientCert: foreign.cert,
        clientKey: foreign.key,
      })
      const refused = await lastFailureOf(() => other.send(get(`https://${registry}`)))
      expect(refused.code).toBe('TLS_FAILED')
      expect(refused.advice).toEqual({kind: 'check-client-certificate'})
    },
  )

  test('client certificates that cannot be used are refused at once', () => {
    const create = (tls: TlsOptions) => () => createTransport({registry: 'r.example', side: 'target', tls})
    const other = authority.issue({names: 'DNS:other'})
    const refused = (tls: TlsOptions, message: RegExp): void => {
      expect(create(tls)).toThrow(expect.objectContaining({code: 'CERTIFICATE_INVALID'}) as Error)
      expect(create(tls)).toThrow(message)
    }
    refused({clientCert: client.cert}, /without its key/)
    refused({clientKey: client.key}, /without its certificate/)
    refused({clientCert: client.cert, clientKey: other.key}, /does not belong/)
    refused({clientCert: client.cert, clientKey: 'no key'}, /client key cannot be read/)
    refused({clientCert: 'none', clientKey: client.key}, /holds no certificate/)
    refused(
      {ca: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']},
      /certificate 1 .* cannot be read/,
    )
    refused({ca: [`${authority.cert}\n-----BEGIN CERTIFICATE-----\nMIIB`]}, /certificate 2 .* cannot be read/)
    refused({ca: ['']}, /holds no certificate/)
  })

  test('one context serves all connections of a host', async () => {
    const contexts = createSecureContexts(
      {ca: [authority.cert], clientCert: client.cert, clientKey: client.key},
      'https://a',
    )
    expect(contexts.forOrigin('https://a')).toBe(contexts.forOrigin('https://a'))
    expect(contexts.forOrigin('https://a:8443')).toBe(contexts.forOrigin('https://c'))
    expect(contexts.forOrigin('https://a')).not.toBe(contexts.forOrigin('https://a:8443'))
    expect(rootCertificates.length).toBeGreaterThan(0)
  })

  test('plain HTTP against an HTTPS server comes with advice to use HTTPS', async () => {
    const server = kept(await startScripted({'*': {}}, {tls: own}))
    const registry = `127.0.0.1:${server.port}`
    const transport = transportTo(registry, undefined, {plainHttp: true})
    const error = await failureOf(transport.send(get(`http://${registry}`)))
    expect(error.advice).toEqual({kind: 'use-https'})
  })
})

test('TLS against an HTTP server comes with advice to use plain HTTP', async () => {
  const server = kept(await startScripted({'*': {}}))
  const registry = `127.0.0.1:${server.port}`
  const error = await failureOf(transportTo(registry).send(get(`https://${registry}`)))
  expect(error.code).toBe('TLS_NOT_SPOKEN')
  expect(error.advice).toEqual({kind: 'use-plain-http'})
  expect(isTransient(error)).toBe(false)
})

test.each([
  ['Go', 'Client sent an HTTP request to an HTTPS server.\n', 'PROTOCOL', 'use-https'],
  ['nginx', '<h1>400</h1>The plain HTTP request was sent to HTTPS port', 'PROTOCOL', 'use-https'],
  ['nginx, mutual TLS', 'No required SSL certificate was sent', 'TLS_FAILED', 'give-client-certificate'],
])('a 400 that means something else: %s', async (_name, text, code, kind) => {
  const server = kept(await startScripted({'*': {status: 400, body: text}}))
  const registry = `127.0.0.1:${server.port}`
  const error = await failureOf(
    transportTo(registry, undefined, {plainHttp: true}).send(get(`http://${registry}`)),
  )
  expect(error.code).toBe(code)
  expect(error.advice).toEqual({kind})
})

test('any other 400 is a response, with its body', async () => {
  const server = kept(await startScripted({'*': {status: 400, body: '{"errors":[]}'}}))
  const registry = `127.0.0.1:${server.port}`
  expect(await ask(transportTo(registry, undefined, {plainHttp: true}), `http://${registry}`)).toBe(
    '400 {"errors":[]}',
  )
})

/** With TLS 1.3 the alert may be lost to a reset: that is to be tried again, and what comes then is the verdict. */
async function lastFailureOf(send: () => Promise<unknown>): Promise<MirrorError> {
  for (let attempt = 1; ; attempt++) {
    const error = await failureOf(send())
    if (attempt === 5 || !isTransient(error)) return error
  }
}

/** node ends a connection without a client certificate with no alert; openssl does as Go and nginx do. */
async function opensslServer(
  own: {readonly cert: string; readonly key: string},
  ca: string,
  version: string,
): Promise<{readonly port: number; close(): Promise<void>}> {
  const directory = mkdtempSync(join(tmpdir(), 'oci-client-s-server-'))
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content)
    return join(directory, name)
  }
  const files = ['-cert', file('cert', own.cert), '-key', file('key', own.key), '-CAfile', file('ca', ca)]
  const options = ['-accept', '127.0.0.1:0', '-Verify', '1', '-verify_return_error', '-www', version]
  const child: ChildProcess = spawn('openssl', ['s_server', ...files, ...options], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (/ACCEPT 127\.0\.0\.1:\d+/.test(said)) break
  }
  return {
    port: Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1]),
    close: async () => {
      child.kill('SIGKILL')
      await exited
      rmSync(directory, {recursive: true, force: true})
    },
  }
}
