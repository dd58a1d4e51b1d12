import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeAuthority,
  makeImage,
  makeTempDir,
  runMirror,
  startProxy,
  type ChildResult,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, writeOciBundle} from './push.js'

/** Only the proxies of these tests know it. */
const NAME = 'registry.beyond.invalid'

describe('a registry whose name only the proxy can resolve', () => {
  let directory: TempDir
  let source: string
  let registry: TestRegistry
  let plain: TestRegistry

  beforeAll(async () => {
    directory = await makeTempDir()
    const authority = await makeAuthority()
    await writeFile(join(directory.path, 'ca.pem'), authority.ca)
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', await makeImage({seed: 'proxy'})),
    ])
    registry = await startRegistry({tls: await authority.issue({hosts: [NAME, '127.0.0.1']}), strict: true})
    plain = await startRegistry({strict: true})
  })
  afterAll(async () => {
    await Promise.all([registry.close(), plain.close()])
    await directory.remove()
  })

  let run = 0
  const push = async (
    target: string,
    {
      flags = [],
      env = {},
    }: {readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>>},
  ): Promise<ChildResult & {readonly namespace: string}> => {
    const namespace = `run${run++}`
    const result = await runMirror(
      argv`push --source ${source} --private-registry ${target}/${namespace}
        --cacert ${join(directory.path, 'ca.pem')} --retries 0 ${flags}`,
      {env},
    )
    return {...result, namespace}
  }
  const startOurs = (options: Parameters<typeof startProxy>[0] = {}) =>
    startProxy({names: {[NAME]: registry.host, 'plain.invalid': plain.host}, ...options})

  for (const variable of ['HTTPS_PROXY', 'https_proxy']) {
    test(`is reached through ${variable}, by CONNECT`, async () => {
      await using proxy = await startOurs()
      const {code, stderr, namespace} = await push(NAME, {env: {[variable]: proxy.url}})
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(registry.tags(`${namespace}/team/app`)).toEqual(['v1'])
      expect(proxy.requests.every(({target}) => target === `${NAME}:443`)).toBe(true)
      expect(faultsIn(registry)).toEqual([])
    })
  }

  test('is reached through HTTP_PROXY with --plain-http, and HTTPS_PROXY is not asked for it', async () => {
    await using proxy = await startOurs()
    await using other = await startOurs({refuseWith: 403})
    const {code, stderr, namespace} = await push('plain.invalid', {
      flags: ['--plain-http'],
      env: {HTTP_PROXY: proxy.url, HTTPS_PROXY: other.url},
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(plain.tags(`${namespace}/team/app`)).toEqual(['v1'])
    expect(other.requests).toEqual([])
  })

  test('is not found without the proxy, and the hint names it', async () => {
    const {code, stderr} = await push(NAME, {})
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^error: target: .*${NAME}.*\nhint: .*HTTPS_PROXY or give --proxy`, 'm'),
    )
  })

  test('HTTP_PROXY does not stand in for HTTPS_PROXY', async () => {
    await using proxy = await startOurs()
    expect((await push(NAME, {env: {HTTP_PROXY: proxy.url}})).code).toBe(1)
    expect(proxy.requests).toEqual([])
  })

  for (const list of [NAME, '.beyond.invalid', 'beyond.invalid', '*', `${NAME}:443`]) {
    test(`NO_PROXY=${list} goes past the proxy`, async () => {
      await using proxy = await startOurs()
      const {code} = await push(NAME, {env: {HTTPS_PROXY: proxy.url, NO_PROXY: `example.com,${list}`}})
      expect(code).toBe(1)
      expect(proxy.requests).toEqual([])
    })
  }

  test('a registry on loopback is reached directly, whatever the proxy', async () => {
    await using proxy = await startOurs({refuseWith: 403})
    const {code, stderr} = await push(registry.host, {env: {HTTPS_PROXY: proxy.url}})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(proxy.requests).toEqual([])
  })

  test('--proxy wins over HTTPS_PROXY, and --no-proxy over NO_PROXY', async () => {
    await using proxy = await startOurs()
    await using other = await startOurs({refuseWith: 403})
    const {code, stderr} = await push(NAME, {
      flags: ['--proxy', proxy.url, '--no-proxy', 'example.com'],
      env: {HTTPS_PROXY: other.url, NO_PROXY: '*'},
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(other.requests).toEqual([])
  })

  test('a proxy with a password in its URL', async () => {
    await using proxy = await startOurs({auth: {user: 'someone', password: 'p@ss'}})
    const {code, stderr} = await push(NAME, {
      flags: ['--verbose'],
      env: {HTTPS_PROXY: proxy.url.replace('//', '//someone:p%40ss@')},
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(stderr).not.toMatch(/p(?:@|%40)ss/)
  })

  const refusals = [
    [
      'asks for a password that was not given',
      {auth: {user: 'someone', password: 'secret'}},
      /a user name and a password before the host of the proxy/,
    ],
    ['refuses', {refuseWith: 403}, /NO_PROXY/],
    ['cannot reach the registry', {names: {}}, /the proxy can reach it/],
  ] as const
  for (const [name, options, hint] of refusals) {
    test(`a proxy that ${name}: exit code 1, naming the proxy and what to do`, async () => {
      await using proxy = await startOurs(options)
      const {code, stderr, namespace} = await push(NAME, {env: {HTTPS_PROXY: proxy.url}})
      expect(code).toBe(1)
      expect(stderr).toMatch(new RegExp(`^error: target: .*proxy.*${proxy.host}`, 'm'))
      expect(stderr).toMatch(/^hint: /m)
      expect(stderr).toMatch(hint)
      expect(registry.tags(`${namespace}/team/app`)).toEqual([])
    })
  }

  test('a proxy that is down: exit code 1, naming it', async () => {
    const proxy = await startOurs()
    await proxy.close()
    const {code, stderr} = await push(NAME, {env: {HTTPS_PROXY: proxy.url}})
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^error: target: .*proxy.*${proxy.host}.*\nhint: .*HTTPS_PROXY`, 'm'))
  })
})
