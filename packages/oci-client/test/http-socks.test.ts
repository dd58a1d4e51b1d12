import {afterAll, afterEach, expect, test} from 'vitest'
import {parseProxy} from '#src/http/proxy.js'
import {isTransient} from '#src/http/transport-error.js'
import {createTransport, type Transport} from '#src/http/undici.js'
import type {TransportOptions} from '#src/http/options.js'
import {startSocks, type SocksOptions, type TestSocks} from '../../../test/kit/socks.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper, makeAuthority} from './http-loopback.js'

const authority = makeAuthority()
const {kept, closeAll} = keeper()
afterEach(closeAll)
afterAll(() => authority?.dispose())

const NAME = 'registry.invalid'

async function socks(options?: SocksOptions): Promise<TestSocks> {
  return kept(await startSocks(options))
}

function transportTo(registry: string, options: Partial<TransportOptions>): Transport {
  return kept(createTransport({registry, side: 'target', ...options}))
}

async function ask(transport: Transport, url: string): Promise<string> {
  const response = await transport.send(get(url))
  return `${response.status} ${Buffer.from(await response.read(1000)).toString()}`
}

test.each(['socks5', 'socks5h'])('%s carries plain HTTP, and resolves the name', async (scheme) => {
  const server = kept(await startScripted(({headers}) => ({body: `to ${headers.host}`})))
  const proxy = await socks()
  const registry = `${NAME}:${server.port}`
  const transport = transportTo(registry, {
    plainHttp: true,
    proxy: {httpProxy: `${scheme}://${proxy.host}`},
  })
  const answers = await Promise.all([1, 2, 3].map(() => ask(transport, `http://${registry}`)))
  expect(answers).toEqual(Array(3).fill(`200 to ${registry}`))
  expect(new Set(proxy.targets)).toEqual(new Set([registry]))
})

test.skipIf(authority === undefined)('it carries TLS to a registry, with a login', async () => {
  if (authority === undefined) return
  const own = authority.issue({names: `DNS:${NAME}`})
  const server = kept(await startScripted({'*': {body: 'hello'}}, {tls: own}))
  const proxy = await socks({login: {user: 'bob', password: 'pass:wörd'}})
  const registry = `${NAME}:${server.port}`
  const transport = transportTo(registry, {
    tls: {ca: [authority.cert]},
    proxy: {httpsProxy: `socks5://bob:${encodeURIComponent('pass:wörd')}@${proxy.host}`},
  })
  expect(await ask(transport, `https://${registry}`)).toBe('200 hello')
})

test.each<[string, SocksOptions, string, RegExp, string, boolean]>([
  [
    'a wrong login',
    {login: {user: 'bob', password: 'x'}},
    'bob:hunter2@',
    /refuses the user name/,
    'check-proxy-login',
    false,
  ],
  ['no login', {login: {user: 'bob', password: 'x'}}, '', /status 407/, 'add-proxy-login', false],
  ['a forbidden host', {reply: 2}, '', /not allowed by its rules/, 'allow-at-proxy', false],
  ['a registry that is gone', {reply: 5}, '', /connection refused/, 'check-behind-proxy', true],
  ['a reply that no text has', {reply: 77}, '', /reply 77/, 'check-behind-proxy', true],
  [
    'another protocol',
    {speaks: 'HTTP/1.1 400 Bad Request\r\n\r\n'},
    '',
    /does not speak SOCKS5/,
    'check-proxy-scheme',
    false,
  ],
  ['an end without a word', {speaks: ''}, '', /closed the connection/, 'check-proxy-scheme', false],
])('%s is PROXY_FAILED, with advice that fits', async (_what, options, login, message, kind, passing) => {
  const proxy = await socks(options)
  const transport = transportTo(NAME, {plainHttp: true, proxy: {httpProxy: `socks5://${login}${proxy.host}`}})
  const error = await failureOf(ask(transport, `http://${NAME}`))
  expect({code: error.code, advice: error.advice?.kind}).toEqual({code: 'PROXY_FAILED', advice: kind})
  expect(error.message).toMatch(message)
  expect(error.message).not.toContain('hunter2')
  expect(isTransient(error)).toBe(passing)
})

test('an address goes to the proxy as an address, in either family', async () => {
  const proxy = await socks({reply: 5})
  for (const [host, said] of [
    ['192.0.2.1', '192.0.2.1:80'],
    ['[2001:db8::1]', '20010db8000000000000000000000001:80'],
  ] as const) {
    const transport = transportTo(host, {plainHttp: true, proxy: {httpProxy: `socks5://${proxy.host}`}})
    await failureOf(ask(transport, `http://${host}`))
    expect(proxy.targets.at(-1)).toBe(said)
  }
})

test('an empty password is refused, because SOCKS5 has none', () => {
  expect(() => parseProxy('socks5://bob@proxy.example')).toThrow(/1 to 255 bytes/)
  expect(parseProxy('socks5://proxy.example')).toMatchObject({port: 1080, socks: true})
})
