import {afterAll, afterEach, describe, expect, test} from 'vitest'
import {sleep} from '#src/http/sleep.js'
import {createTransport, type Transport} from '#src/http/undici.js'
import type {TransportOptions} from '#src/http/options.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {failureOf, get, keeper, makeAuthority, serveProxy} from './http-loopback.js'

const authority = makeAuthority()
const {kept, closeAll} = keeper()
afterEach(closeAll)
afterAll(() => authority?.dispose())

function transportTo(registry: string, options: Partial<TransportOptions>): Transport {
  return kept(createTransport({registry, side: 'target', ...options}))
}

test.each(['http', 'https'])(
  'a proxy that refuses the login it was given is told so, for %s',
  async (protocol) => {
    const proxy = kept(await serveProxy({refuse: 407}))
    const url = `http://user:secret@127.0.0.1:${proxy.port}`
    const transport = transportTo('registry.invalid', {
      plainHttp: protocol === 'http',
      proxy: {httpProxy: url, httpsProxy: url},
    })
    const error = await failureOf(transport.send(get(`${protocol}://registry.invalid`)))
    expect(error.message).toContain('refuses the user name and the password')
    expect(error.advice).toEqual({kind: 'check-proxy-login'})
  },
)

test('a page of the proxy is told as an answer of the proxy', async () => {
  const proxy = kept(
    await startScripted({
      '*': {status: 503, headers: {'content-type': 'text/html'}, body: '<html>squid: cannot resolve</html>'},
    }),
  )
  const transport = transportTo('registry.invalid', {
    plainHttp: true,
    proxy: {httpProxy: `http://127.0.0.1:${proxy.port}`},
  })
  const error = await failureOf(transport.send(get('http://registry.invalid')))
  expect(error).toMatchObject({code: 'PROXY_FAILED', advice: {kind: 'check-behind-proxy'}})
  expect(error.message).toContain(`127.0.0.1:${proxy.port}`)
})

describe.skipIf(authority === undefined)('many requests at once (needs the openssl program)', () => {
  if (authority === undefined) return
  const own = authority.issue({names: 'DNS:registry.invalid'})
  const tls = {ca: [authority.cert]}

  test('50 tunnels, uploads and downloads at once make Node warn of nothing', async () => {
    const server = kept(await startScripted({'*': {body: Buffer.alloc(100_000, 'x')}}, {tls: own}))
    const proxy = kept(await serveProxy())
    const registry = `registry.invalid:${server.port}`
    const transport = transportTo(registry, {
      tls,
      concurrency: 50,
      proxy: {httpsProxy: `http://127.0.0.1:${proxy.port}`},
    })
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const {signal} = new AbortController()
    const upload = async function* (): AsyncGenerator<Uint8Array> {
      for (let chunk = 0; chunk < 10; chunk++) {
        await sleep(5, signal)
        yield Buffer.alloc(10_000, 'y')
      }
    }
    try {
      const requests = Array.from({length: 100}, (_, index) =>
        get(`https://${registry}`, {
          signal,
          ...(index % 2 === 1 && {method: 'PUT', body: {stream: upload(), length: 100_000}}),
        }),
      )
      const read = requests.map(
        async (request) => (await (await transport.send(request)).read(200_000)).length,
      )
      expect(await Promise.all(read)).toEqual(requests.map(() => 100_000))
      await sleep(0)
    } finally {
      process.off('warning', note)
    }
    expect(proxy.seen.length).toBeGreaterThanOrEqual(50)
    expect(warnings).toEqual([])
  })
})
