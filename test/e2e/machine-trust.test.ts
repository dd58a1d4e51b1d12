import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {makeAuthority, makeImage, makeTempDir, startSocks, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {named, push, writeOciBundle} from './push.js'

let directory: TempDir
let source: string
let registry: TestRegistry

beforeAll(async () => {
  directory = await makeTempDir()
  const authority = await makeAuthority()
  registry = await startRegistry({
    tls: await authority.issue({hosts: ['127.0.0.1', 'far.invalid']}),
    strict: true,
  })
  source = await writeOciBundle(directory.path, [
    named('gcr.io/team/app:v1', await makeImage({seed: 'trust', layers: 1})),
  ])
  const own = join(directory.path, '.config/containers/certs.d', registry.host)
  await mkdir(own, {recursive: true})
  await writeFile(join(own, 'ca.crt'), authority.ca)
  await writeFile(join(own, 'broken.crt'), 'nothing')
  await writeFile(join(directory.path, 'ca.pem'), authority.ca)
})
afterAll(async () => {
  await registry.close()
  await directory.remove()
})

test('certs.d of podman is trusted for its registry, a bad file beside it is warned of, and --verbose names what was read', async () => {
  const {code, stderr} = await push({source, registry, home: directory.path, flags: ['--verbose']})
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(stderr).toMatch(/certificates for 127\.0\.0\.1:\d+: .*\/certs\.d\/127\.0\.0\.1:\d+\/ca\.crt/)
  expect(stderr).toMatch(/^warning: .*broken\.crt is not used: .*no certificate in PEM$/m)
})

test('SSL_CERT_FILE is trusted, and ALL_PROXY may be a SOCKS5 proxy that alone knows the name', async () => {
  await using proxy = await startSocks()
  const port = registry.host.split(':')[1]
  const {code, stderr} = await push({
    source,
    registry: {host: `far.invalid:${port}`, url: registry.url},
    namespace: 'far',
    env: {SSL_CERT_FILE: join(directory.path, 'ca.pem'), ALL_PROXY: `socks5://${proxy.host}`},
  })
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(registry.tags('far/team/app')).toEqual(['v1'])
  expect(proxy.targets).toContain(`far.invalid:${port}`)
})

test('an ALL_PROXY that is of no use is refused, and not passed over', async () => {
  const {code, stderr} = await push({
    source,
    registry: {host: 'far.invalid', url: registry.url},
    env: {ALL_PROXY: 'socks4://127.0.0.1:1'},
  })
  expect(code).toBe(2)
  expect(stderr).toMatch(/socks4 proxies are not supported\nhint: .*socks5:\/\//)
})
