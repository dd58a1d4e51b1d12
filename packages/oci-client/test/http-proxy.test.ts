import {createServer} from 'node:net'
import {afterAll, afterEach, describe, expect, test} from 'vitest'
import {parseProxy, proxyFor} from '#src/http/proxy.js'
import {isTransient} from '#src/http/transport-error.js'
import {createTransport, type Transport} from '#src/http/undici.js'
import type {ProxyOptions, TransportOptions} from '#src/http/options.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper, listen, makeAuthority, serveProxy} from './http-loopback.js'

const HTTP = 'http://proxy.example:3128/'
const HTTPS = 'http://secure-proxy.example:3129/'

test.each<[string, ProxyOptions, string, string | undefined]>([
  ['https takes HTTPS_PROXY', {httpProxy: HTTP, httpsProxy: HTTPS}, 'https://foo.com', HTTPS],
  ['http takes HTTP_PROXY', {httpProxy: HTTP, httpsProxy: HTTPS}, 'http://foo.com', HTTP],
  ['https does not fall back to HTTP_PROXY', {httpProxy: HTTP}, 'https://foo.com', undefined],
  ['http does not fall back to HTTPS_PROXY', {httpsProxy: HTTPS}, 'http://foo.com', undefined],
  ['an empty proxy is none', {httpsProxy: ''}, 'https://foo.com', undefined],
  ['no scheme means http', {httpsProxy: 'proxy.example:3128'}, 'https://foo.com', HTTP],
  ['an https proxy', {httpsProxy: 'https://proxy.example'}, 'https://foo.com', 'https://proxy.example/'],
])('proxyFor: %s', (_name, options, origin, expected) => {
  expect(proxyFor(origin, options)).toBe(expected)
})

test.each<[origin: string, noProxy: string, direct: boolean]>([
  // loopback is direct whatever the list says
  ['https://localhost:5000', '', true],
  ['https://LOCALHOST', '', true],
  ['https://127.0.0.1', '', true],
  ['https://127.9.8.7:5000', '', true],
  ['https://[::1]:5000', '', true],
  ['https://[::ffff:127.0.0.1]', '', true],
  ['https://localhost.example', '', false],
  ['https://128.0.0.1', '', false],
  // names
  ['https://foo.com', 'foo.com', true],
  ['https://a.foo.com', 'foo.com', true],
  ['https://a.b.foo.com', 'foo.com', true],
  ['https://barfoo.com', 'foo.com', false],
  ['https://foo.com.evil.example', 'foo.com', false],
  ['https://FOO.com', 'fOO.Com', true],
  ['https://foo.com', '.foo.com', false],
  ['https://a.foo.com', '.foo.com', true],
  ['https://foo.com', '*.foo.com', false],
  ['https://a.foo.com', '*.foo.com', true],
  ['https://a.foo.com', 'a.*.com', false],
  // ports
  ['https://foo.com:5000', 'foo.com:5000', true],
  ['https://a.foo.com:5000', '.foo.com:5000', true],
  ['https://foo.com:5001', 'foo.com:5000', false],
  ['https://foo.com', 'foo.com:443', true],
  ['http://foo.com', 'foo.com:443', false],
  ['http://foo.com', 'foo.com:80', true],
  ['https://foo.com:5000', 'foo.com', true],
  // addresses
  ['https://10.0.2.1', '10.0.2.1', true],
  ['https://10.0.2.1:5000', '10.0.2.1:5000', true],
  ['https://10.0.2.1:5001', '10.0.2.1:5000', false],
  ['https://10.0.2.11', '10.0.2.1', false],
  ['https://10.0.1.77', '10.0.1.0/24', true],
  ['https://10.0.2.77', '10.0.1.0/24', false],
  ['https://10.200.2.77', '10.0.0.0/8', true],
  ['https://1.2.3.4', '0.0.0.0/0', true],
  ['https://foo.com', '0.0.0.0/0', false],
  ['https://10.0.1.77', '10.0.1.0/33', false],
  ['https://10.0.1.77', '0.1.77', false],
  ['https://[fd00::5]', 'fd00::/8', true],
  ['https://[fd00::5]', 'fd00:0:0::5', true],
  ['https://[fd00::5]:5000', '[fd00::5]:5000', true],
  ['https://[fd00::5]:5001', '[fd00::5]:5000', false],
  ['https://[fd00::5]', '[fd00::5]', true],
  ['https://[::ffff:10.0.1.77]', '10.0.1.0/24', true],
  // a final dot
  ['https://foo.com', 'foo.com.', true],
  ['https://foo.com.', 'foo.com', true],
  ['https://a.foo.com', '.foo.com.', true],
  ['https://foo.com:5000', 'foo.com.:5000', true],
  // lists
  ['https://foo.com', '*', true],
  ['https://10.0.0.1', 'bar.com,*', true],
  ['https://foo.com', ' bar.com , foo.com ', true],
  ['https://foo.com', 'bar.com foo.com', false],
  ['https://foo.com', ',,', false],
  ['https://foo.com', ':443', false],
  ['https://private-registry.example', '10.0.1.0/24,private-registry.example,10.0.2.1', true],
  ['https://10.0.1.9:5000', '10.0.1.0/24,private-registry.example,10.0.2.1', true],
])('%s with NO_PROXY=%j is direct: %s', (origin, noProxy, direct) => {
  expect(proxyFor(origin, {httpProxy: HTTP, httpsProxy: HTTPS, noProxy}) === undefined).toBe(direct)
})

test('user information of a proxy becomes its authorization, decoded', () => {
  const {authorization, name, origin} = parseProxy('http://us%40er:p%3Ass@proxy.example:3128')
  expect(authorization).toBe(`Basic ${Buffer.from('us@er:p:ss').toString('base64')}`)
  expect(name + origin).not.toContain('er')
  expect(parseProxy('user@proxy.example').authorization).toBe(
    `Basic ${Buffer.from('user:').toString('base64')}`,
  )
  expect(parseProxy('https://proxy.example')).toEqual({
    origin: 'https://proxy.example',
    name: 'proxy.example:443',
    hostname: 'proxy.example',
    port: 443,
    secure: true,
    socks: false,
  })
})

test.each([
  'http://',
  'http://user:hunter2@',
  'socks4://user:hunter2@proxy.example:1080',
  'http://user:hunter2@proxy.example:99999',
  'http://user:hunter2%zz@proxy.example',
  'user:hunter2@pro xy',
  'http://user:2024#hunter2@proxy.example',
  'http://user:2024/hunter2@proxy.example:3128',
  'http://user:20?24hunter2@proxy.example',
  'http://DOM\\user:hunter2@proxy.example',
  'user:hunter2#x@y@proxy.example',
])('a proxy that is not a URL is refused without being quoted: %s', (httpsProxy) => {
  const find = (): unknown => proxyFor('https://foo.com', {httpsProxy})
  expect(find).toThrow(expect.objectContaining({code: 'CONFIG_INVALID'}) as Error)
  expect(find).not.toThrow(/hunter2/)
})

const authority = makeAuthority()
const {kept, closeAll} = keeper()
afterEach(closeAll)
afterAll(() => authority?.dispose())

function transportTo(registry: string, options: Partial<TransportOptions>): Transport {
  return kept(createTransport({registry, side: 'target', ...options}))
}

async function ask(transport: Transport, url: string): Promise<string> {
  const response = await transport.send(get(url))
  return `${response.status} ${Buffer.from(await response.read(1000)).toString()}`
}

// Only the proxies of these tests know the way to names under .invalid.
test('a plain request goes through the proxy as it is, to a name that only the proxy knows', async () => {
  const server = kept(
    await startScripted(({path, headers}) => ({
      body: `${headers.host} ${path} ${headers['proxy-authorization'] ?? ''}`,
    })),
  )
  const proxy = kept(await serveProxy())
  const registry = `registry.invalid:${server.port}`
  const httpProxy = `http://user:secret@127.0.0.1:${proxy.port}`
  const transport = transportTo(registry, {plainHttp: true, proxy: {httpProxy}})
  const answer = await ask(transport, `http://${registry}`)
  const authorization = `Basic ${Buffer.from('user:secret').toString('base64')}`
  expect(answer).toBe(`200 ${registry} /v2/ ${authorization}`)
  expect(proxy.seen).toEqual([{method: 'GET', target: `http://${registry}/v2/`, authorization}])
})

test.each([
  [407, {kind: 'add-proxy-login'}],
  [401, {kind: 'add-proxy-login'}],
  [403, {kind: 'allow-at-proxy', target: 'registry.invalid:443'}],
  [502, {kind: 'check-behind-proxy', target: 'registry.invalid:443'}],
])('a proxy that answers %d to CONNECT', async (status, advice) => {
  const proxy = kept(await serveProxy({refuse: status}))
  const transport = transportTo('registry.invalid', {proxy: {httpsProxy: `127.0.0.1:${proxy.port}`}})
  const error = await failureOf(transport.send(get('https://registry.invalid')))
  expect(error.code).toBe('PROXY_FAILED')
  expect(error.message).toContain(`127.0.0.1:${proxy.port}`)
  expect(error.message).toContain('registry.invalid:443')
  expect(error.advice).toEqual(advice)
  expect(isTransient(error)).toBe(status === 502)
  expect(proxy.seen).toEqual([{method: 'CONNECT', target: 'registry.invalid:443', authorization: undefined}])
})

test('a proxy that wants a password for a plain request', async () => {
  const proxy = kept(await serveProxy({refuse: 407}))
  const httpProxy = `http://127.0.0.1:${proxy.port}`
  const transport = transportTo('registry.invalid', {plainHttp: true, proxy: {httpProxy}})
  const error = await failureOf(transport.send(get('http://registry.invalid')))
  expect(error.code).toBe('PROXY_FAILED')
  expect(error.advice).toEqual({kind: 'add-proxy-login'})
})

test('a proxy that is down is told apart from a registry that is', async () => {
  const proxy = await serveProxy()
  await proxy.close()
  const transport = transportTo('registry.invalid', {
    proxy: {httpsProxy: `http://user:hunter2@127.0.0.1:${proxy.port}`},
  })
  const error = await failureOf(transport.send(get('https://registry.invalid')))
  expect(error.code).toBe('PROXY_FAILED')
  expect(error.message).toBe(`the proxy 127.0.0.1:${proxy.port} cannot be used: the connection is refused`)
  expect(isTransient(error)).toBe(true)
})

test('a proxy that never answers CONNECT fails in time, and close does not wait for it', async () => {
  const silent = kept(await listen(createServer(() => {})))
  const proxy = {httpsProxy: `http://127.0.0.1:${silent.port}`}
  const options = {registry: 'registry.invalid', side: 'target', proxy} as const
  const transport = kept(createTransport({...options, timeouts: {connect: 200}}))
  const error = await failureOf(transport.send(get('https://registry.invalid')))
  expect(error.message).toContain('timed out')
  const patient = kept(createTransport(options))
  const sending = failureOf(patient.send(get('https://registry.invalid')))
  setTimeout(() => void patient.close(), 50)
  expect((await sending).code).toBe('CANCELLED')
})

describe.skipIf(authority === undefined)('proxies and TLS (needs the openssl program)', () => {
  if (authority === undefined) return
  const own = authority.issue({names: 'DNS:registry.invalid'})
  const tls = {ca: [authority.cert]}

  test('HTTPS goes through the proxy by CONNECT, and the certificate is that of the registry', async () => {
    const server = kept(await startScripted(({headers}) => ({body: headers.host ?? ''}), {tls: own}))
    const proxy = kept(await serveProxy())
    const registry = `registry.invalid:${server.port}`
    const httpsProxy = `http://user:secret@127.0.0.1:${proxy.port}`
    const transport = transportTo(registry, {tls, proxy: {httpsProxy}})
    expect(await ask(transport, `https://${registry}`)).toBe(`200 ${registry}`)
    expect(await ask(transport, `https://${registry}`)).toBe(`200 ${registry}`)
    const authorization = `Basic ${Buffer.from('user:secret').toString('base64')}`
    expect(proxy.seen[0]).toEqual({method: 'CONNECT', target: registry, authorization})
    const other = `other.invalid:${server.port}`
    const error = await failureOf(transport.send(get(`https://${other}`)))
    expect(error.code).toBe('TLS_UNTRUSTED')
    expect(error.message).toContain(other)
  })

  test('the proxy itself may speak TLS', async () => {
    const forProxy = authority.issue({names: 'IP:127.0.0.1'})
    const secure = kept(await startScripted({'*': {body: 'secure'}}, {tls: own}))
    const plain = kept(await startScripted({'*': {body: 'plain'}}))
    const proxy = kept(await serveProxy({tls: forProxy}))
    const url = `https://127.0.0.1:${proxy.port}`
    const registry = `registry.invalid:${secure.port}`
    const transport = transportTo(registry, {tls, proxy: {httpsProxy: url, httpProxy: url}})
    expect(await ask(transport, `https://${registry}`)).toBe('200 secure')
    expect(await ask(transport, `http://registry.invalid:${plain.port}`)).toBe('200 plain')
    expect(proxy.seen.map(({method}) => method)).toEqual(['CONNECT', 'GET'])
  })

  test('NO_PROXY goes past the proxy', async () => {
    const proxy = kept(await serveProxy())
    const httpsProxy = `http://127.0.0.1:${proxy.port}`
    const transport = transportTo('registry.invalid', {tls, proxy: {httpsProxy, noProxy: '.invalid'}})
    const error = await failureOf(transport.send(get('https://registry.invalid')))
    expect(error.code).toBe('UNREACHABLE')
    expect(proxy.seen).toEqual([])
  })

  test('a proxy with an unknown certificate is not used', async () => {
    const proxy = kept(await serveProxy({tls: authority.issue({names: 'IP:127.0.0.1'})}))
    const transport = transportTo('registry.invalid', {
      proxy: {httpsProxy: `https://127.0.0.1:${proxy.port}`},
    })
    const error = await failureOf(transport.send(get('https://registry.invalid')))
    expect(error.code).toBe('PROXY_FAILED')
    expect(error.advice).toEqual({kind: 'trust-authority'})
    expect(isTransient(error)).toBe(false)
    expect(proxy.seen).toEqual([])
    const plain = transportTo('registry.invalid', {
      plainHttp: true,
      proxy: {httpProxy: `https://127.0.0.1:${proxy.port}`},
    })
    expect(await failureOf(plain.send(get('http://registry.invalid')))).toMatchObject({
      code: 'PROXY_FAILED',
      advice: {kind: 'trust-authority'},
    })
  })
})
