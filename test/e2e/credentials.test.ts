import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {cleanEnvironment, makeImage, makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, push, writeOciBundle} from './push.js'

const password = 'file: secret'
const users = [{name: 'stored', password}]
const basic = Buffer.from(`stored:${password}`).toString('base64')
const refresh = 'a refresh token'

interface Place {
  readonly name: string
  /** Files below the home directory. */
  readonly files: (registry: string) => Readonly<Record<string, unknown>>
  readonly env?: (home: string, registry: string) => Readonly<Record<string, string>>
  readonly flags?: (home: string) => readonly string[]
}

function entry(registry: string) {
  return {auths: {[registry]: {auth: basic}}}
}
/** Answers `get` as docker's credential helpers do. */
function helper(secret: string, username = 'stored'): string {
  return `#!/bin/sh\nread -r server\nprintf '{"ServerURL":"%s","Username":"${username}","Secret":"${secret}"}' "$server"\n`
}

const places: readonly Place[] = [
  {name: 'docker’s config.json', files: (registry) => ({'.docker/config.json': entry(registry)})},
  {
    name: 'docker’s config.json, under a URL as docker login writes it',
    files: (registry) => ({'.docker/config.json': entry(`https://${registry}/v2/`)}),
  },
  {
    name: 'the directory of DOCKER_CONFIG',
    files: (registry) => ({'elsewhere/config.json': entry(registry)}),
    env: (home) => ({DOCKER_CONFIG: join(home, 'elsewhere')}),
  },
  {
    name: 'DOCKER_AUTH_CONFIG',
    files: () => ({}),
    env: (_home, registry) => ({DOCKER_AUTH_CONFIG: JSON.stringify(entry(registry))}),
  },
  {name: 'podman’s auth.json', files: (registry) => ({'.run/containers/auth.json': entry(registry)})},
  {
    name: 'podman’s auth.json, for the namespace alone',
    files: (registry) => ({'.config/containers/auth.json': {auths: {[`${registry}/ns`]: {auth: basic}}}}),
  },
  {
    name: 'REGISTRY_AUTH_FILE',
    files: (registry) => ({'my/auth.json': entry(registry)}),
    env: (home) => ({REGISTRY_AUTH_FILE: join(home, 'my/auth.json')}),
  },
  {
    name: '--docker-config, before the usual files',
    files: (registry) => ({
      'given.json': entry(registry),
      '.docker/config.json': {auths: {[registry]: {auth: Buffer.from('x:wrong').toString('base64')}}},
    }),
    flags: (home) => argv`--docker-config ${join(home, 'given.json')}`,
  },
  {
    name: 'credHelpers',
    files: (registry) => ({
      '.docker/config.json': {credHelpers: {[registry]: 'tests'}},
      'bin/docker-credential-tests': helper(password),
    }),
  },
  {
    name: 'credsStore',
    files: () => ({
      '.docker/config.json': {credsStore: 'tests'},
      'bin/docker-credential-tests': helper(password),
    }),
  },
  {
    name: 'a credential helper that has an identity token',
    files: () => ({
      '.docker/config.json': {credsStore: 'tests'},
      'bin/docker-credential-tests': helper(refresh, '<token>'),
    }),
  },
  {
    name: 'an identity token in docker’s config.json',
    files: (registry) => ({'.docker/config.json': {auths: {[registry]: {auth: '', identitytoken: refresh}}}}),
  },
]

describe('a credential is found in', () => {
  let directory: TempDir
  let source: string
  let registry: TestRegistry
  let run = 0

  beforeAll(async () => {
    directory = await makeTempDir()
    source = await writeOciBundle(directory.path, [
      named('gcr.io/a/b:v1', await makeImage({seed: 'credentials'})),
    ])
    registry = await startRegistry({
      auth: {type: 'token', users, identityTokens: {stored: refresh}},
      strict: true,
    })
  })
  afterAll(async () => {
    await registry.close()
    await directory.remove()
  })

  test.each(places)('$name', async ({files, env, flags}) => {
    const home = join(directory.path, `home${run++}`)
    for (const [path, content] of Object.entries(files(registry.host))) {
      await mkdir(dirname(join(home, path)), {recursive: true})
      await writeFile(join(home, path), typeof content === 'string' ? content : JSON.stringify(content))
      if (path.startsWith('bin/')) await chmod(join(home, path), 0o755)
    }
    await mkdir(home, {recursive: true})
    registry.clearLog()
    const {code, stderr} = await push({
      source,
      registry,
      namespace: 'ns',
      home,
      env: {
        PATH: `${join(home, 'bin')}:${cleanEnvironment(home)['PATH'] ?? ''}`,
        ...env?.(home, registry.host),
      },
      flags: [...argv`--dry-run`, ...(flags?.(home) ?? [])],
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.requests.some(({status, kind}) => kind === 'manifest-head' && status === 404)).toBe(true)
  })

  test('none of them where flags give one', async () => {
    const home = join(directory.path, 'flags')
    await mkdir(join(home, '.docker'), {recursive: true})
    await writeFile(join(home, '.docker/config.json'), '{ this is not JSON')
    const flags = argv`--dry-run --username stored --password-stdin`
    const {code, stderr} = await push({source, registry, home, flags, stdin: `${password}\n`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  })

  test.each([
    ['--docker-config that is not there', argv`--docker-config /nowhere/config.json`],
    ['--need-credential=false with --username', argv`--need-credential=false --username a --password b`],
  ])('%s is exit code 2', async (_name, flags) => {
    const {code, stderr} = await push({source, registry, flags})
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(/^error: /m)
  })
})
