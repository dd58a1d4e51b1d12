import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeAuthority,
  makeImage,
  makeLayers,
  makeTempDir,
  type Authority,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, push, writeOciBundle} from './push.js'

const users = [{name: 'pusher', password: 'a:colon'}]
const login = ['--username', 'pusher', '--password-stdin']
const withPassword = {flags: login, stdin: 'a:colon'}

/** Every way in, with what a user says for it. */
const ways: readonly (readonly [
  string,
  RegistryOptions,
  {readonly flags?: readonly string[]; readonly stdin?: string},
])[] = [
  ['no authentication', {}, {}],
  ['basic authentication', {auth: {type: 'basic', users}}, withPassword],
  ['tokens with scopes', {auth: {type: 'token', users}}, withPassword],
  [
    'tokens that are good for five requests',
    {auth: {type: 'token', users, usesPerToken: 5}},
    {...withPassword, flags: [...login, '--concurrency', '1']},
  ],
  [
    'tokens from another origin, by GET alone',
    {auth: {type: 'token', users, realm: 'other-origin', oauth2: 404, field: 'token'}},
    withPassword,
  ],
  [
    'anonymous tokens',
    {auth: {type: 'token', users, anonymous: 'push'}},
    {flags: ['--need-credential=false']},
  ],
  [
    'projects that exist, as Harbor has them',
    {projects: ['team'], auth: {type: 'token', users}},
    withPassword,
  ],
  ['relative Locations and no mounts', {locations: 'relative', mount: 'off'}, {}],
  ['uploads at another origin', {locations: 'cross-origin'}, {}],
  ['uploads as distribution 2.8 takes them', {uploads: 'forgetful'}, {}],
]

describe('a push of three images that share layers, one of two platforms, into a registry with', () => {
  let directory: TempDir
  let authority: Authority
  let images: readonly TestImage[]
  let source: string
  let cacert: string

  beforeAll(async () => {
    directory = await makeTempDir()
    authority = await makeAuthority()
    const base = await makeLayers({seed: 'base', layers: 2, layerSize: 50_000})
    images = await Promise.all([
      makeImage({seed: 'one', base}),
      makeImage({seed: 'two', base, format: 'docker'}),
      makeImage({seed: 'three', platforms: ['linux/amd64', 'linux/arm64/v8']}),
    ])
    source = await writeOciBundle(
      directory.path,
      images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)),
    )
    cacert = join(directory.path, 'ca.pem')
    await writeFile(cacert, authority.ca)
  })
  afterAll(() => directory.remove())

  for (const [name, options, run] of ways) {
    for (const scheme of /^(?:no|anonymous|tokens from)/.test(name) ? ['TLS', 'plain HTTP'] : ['TLS']) {
      const isSecure = scheme === 'TLS'
      test(`${name}, over ${scheme}`, async () => {
        await using registry = await startRegistry({
          ...options,
          tls: isSecure ? await authority.issue({hosts: ['127.0.0.1']}) : undefined,
          strict: true,
        })

        const {code, stderr, report} = await push({
          ...run,
          source,
          registry,
          flags: [...(run.flags ?? []), ...(isSecure ? ['--cacert', cacert] : [])],
        })

        expect({code}, `printed: ${stderr}`).toEqual({code: 0})
        expect(report.images.map(({status}) => status)).toEqual(['pushed', 'pushed', 'pushed'])
        for (const [index, {root}] of images.entries()) {
          expect(registry.manifest(`team/image${index}`, 'v1')?.digest).toBe(root.descriptor.digest)
        }
        expect(faultsIn(registry)).toEqual([])
      })
    }
  }

  test('tokens that expire in the middle, unannounced', async () => {
    const auth = {type: 'token', users, lifetime: 1000, announcedLifetime: false} as const
    await using registry = await startRegistry({auth, latency: 40, strict: true})
    const {code, stderr} = await push({
      ...withPassword,
      source,
      registry,
      flags: [...login, '--concurrency', '1'],
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const refused = registry.requests.filter(
      ({status, authorization}) => status === 401 && authorization !== undefined,
    )
    expect(refused.length).toBeGreaterThan(0)
    expect(faultsIn(registry)).toEqual([])
  })

  test('client certificates', async () => {
    const client = await authority.issueClient({name: 'pusher'})
    const files = join(directory.path, 'client')
    await mkdir(files)
    await writeFile(join(files, 'cert.pem'), client.cert)
    await writeFile(join(files, 'key.pem'), client.key)
    const server = await authority.issue({hosts: ['127.0.0.1']})
    await using registry = await startRegistry({tls: {...server, clientCa: authority.ca}, strict: true})

    const {code, stderr} = await push({
      source,
      registry,
      flags: argv`--cacert ${cacert} --client-cert ${join(files, 'cert.pem')} --client-key ${join(files, 'key.pem')}`,
    })

    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.tags('team/image0')).toEqual(['v1'])
    expect(faultsIn(registry)).toEqual([])
  })
})
