import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  startProxy,
  type Authority,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, writeBundle} from './push.js'

const users = [{name: 'admin', password: 'Harbor12345'}]

describe('a script written for bmctl works with only the program’s name changed', () => {
  let directory: TempDir
  let authority: Authority
  let image: TestImage
  const start = async (options: RegistryOptions = {}): Promise<TestRegistry> =>
    startRegistry({
      tls: await authority.issue({hosts: ['127.0.0.1', 'registry.internal']}),
      strict: true,
      ...options,
    })

  beforeAll(async () => {
    directory = await makeTempDir()
    authority = await makeAuthority()
    image = await makeImage({seed: 'bmctl'})
    const images = [named('gcr.io/anthos-baremetal-release/ais:1.32.0', image)]
    await writeBundle(join(directory.path, 'bmpackages_1.32.0.tar.xz'), ociLayout(images), {type: 'xz'})
    await writeFile(join(directory.path, 'ca.crt'), authority.ca)
  })
  afterAll(() => directory.remove())

  const pushImages = argv`push images --source ./bmpackages_1.32.0.tar.xz`

  test('push images --source --private-registry --cacert --username --password', async () => {
    await using registry = await start({auth: {type: 'token', users}, projects: ['library']})
    const {code, stderr} = await runMirror(
      argv`${pushImages} --private-registry ${registry.host}/library --cacert ./ca.crt
        --username admin --password Harbor12345`,
      {cwd: directory.path},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.manifest('library/anthos-baremetal-release/ais', '1.32.0')?.digest).toBe(
      image.root.descriptor.digest,
    )
    expect(faultsIn(registry)).toEqual([])
  })

  test('--need-credential=false, spelled so: no credential is looked up, though the docker config has one', async () => {
    await using registry = await start()
    await using home = await makeTempDir()
    const auths = {[registry.host]: {auth: Buffer.from('admin:Harbor12345').toString('base64')}}
    const config = join(home.path, 'auth.json')
    await writeFile(config, JSON.stringify({auths}))
    const {code, stderr} = await runMirror(
      argv`${pushImages} --private-registry ${registry.host}/library --cacert ./ca.crt --need-credential=false`,
      {cwd: directory.path, env: {REGISTRY_AUTH_FILE: config}},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.tags('library/anthos-baremetal-release/ais')).toEqual(['1.32.0'])
    expect(registry.requests.filter(({authorization}) => authorization !== undefined)).toEqual([])
  })

  for (const bare of ['--need-credential', '--need-credential=true']) {
    test(`${bare} insists on a credential before any work`, async () => {
      await using registry = await start()
      const {code, stderr} = await runMirror(
        argv`${pushImages} --private-registry ${registry.host} --cacert ./ca.crt ${bare}`,
        {cwd: directory.path},
      )
      expect({code}, `printed: ${stderr}`).toEqual({code: 1})
      expect(stderr).toMatch(/^error: target: .*credential/m)
      expect(stderr).toContain('auth.json: no file')
      expect(registry.requests).toEqual([])
    })
  }

  test('--need-credential takes the credential of the docker config, before the flags that follow it', async () => {
    await using registry = await start({auth: {type: 'basic', users}})
    await using home = await makeTempDir()
    const config = join(home.path, 'config.json')
    const auths = {[registry.host]: {auth: Buffer.from('admin:Harbor12345').toString('base64')}}
    await writeFile(config, JSON.stringify({auths}))
    const {code, stderr} = await runMirror(
      argv`${pushImages} --need-credential --private-registry ${registry.host} --cacert ./ca.crt
        --docker-config ${config}`,
      {cwd: directory.path},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(faultsIn(registry)).toEqual([])
  })

  test('HTTPS_PROXY in the environment', async () => {
    await using registry = await start({auth: {type: 'basic', users}})
    await using proxy = await startProxy({names: {'registry.internal': registry.host}})
    const {code, stderr} = await runMirror(
      argv`${pushImages} --private-registry registry.internal:443/library --cacert ./ca.crt
        --username admin --password Harbor12345`,
      {cwd: directory.path, env: {HTTPS_PROXY: proxy.url}},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(new Set(proxy.requests.map(({method, target}) => `${method} ${target}`))).toEqual(
      new Set(['CONNECT registry.internal:443']),
    )
    expect(registry.tags('library/anthos-baremetal-release/ais')).toEqual(['1.32.0'])
  })
})
