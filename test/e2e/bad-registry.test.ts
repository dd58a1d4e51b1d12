import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeAuthority, makeImage, makeTempDir, type Authority, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions, type TestRegistry} from '@airgap-mirror/test/registry'
import {errorsOf, faultsIn, named, push, writeOciBundle} from './push.js'

const users = [
  {name: 'pusher', password: 'secret'},
  {name: 'reader', password: 'secret', access: 'pull' as const},
]
function as(name: string, password = 'secret'): string[] {
  return ['--username', name, '--password', password]
}

interface Case {
  readonly name: string
  readonly start: (authority: Authority) => Promise<TestRegistry>
  readonly flags?: readonly string[]
  /** Spoken to with this scheme, whatever the registry speaks. */
  readonly scheme?: 'http' | 'https'
  readonly error: RegExp
  readonly hint: RegExp
}

function plain(options: RegistryOptions = {}) {
  return (): Promise<TestRegistry> => startRegistry({strict: true, ...options})
}
function secure(
  options: {readonly hosts?: readonly string[]; readonly expired?: boolean} = {},
  more: RegistryOptions = {},
) {
  return async (authority: Authority): Promise<TestRegistry> =>
    startRegistry({tls: await authority.issue({hosts: ['127.0.0.1'], ...options}), strict: true, ...more})
}
const always = Number.POSITIVE_INFINITY

const cases: readonly Case[] = [
  {
    name: 'speaks HTTP where HTTPS was expected',
    start: plain(),
    scheme: 'https',
    error: /does not speak TLS/,
    hint: /--plain-http/,
  },
  {
    name: 'speaks HTTPS where --plain-http was given',
    start: secure(),
    scheme: 'http',
    error: /./,
    hint: /Leave out --plain-http/,
  },
  {
    name: 'has a certificate of an unknown authority',
    start: async () => secure()(await makeAuthority('stranger')),
    error: /authority that is not trusted/,
    hint: /CN=stranger into the file that --cacert names/,
  },
  {
    name: 'has a certificate that has expired',
    start: secure({expired: true}),
    error: /has expired/,
    hint: /clock/,
  },
  {
    name: 'has a certificate for another name',
    start: secure({hosts: ['registry.example']}),
    error: /for other names: DNS:registry\.example/,
    hint: /Name the registry as its certificate does/,
  },
  {
    name: 'wants a client certificate',
    start: async (authority) =>
      startRegistry({
        tls: {...(await authority.issue({hosts: ['127.0.0.1']})), clientCa: authority.ca},
        strict: true,
      }),
    error: /./,
    hint: /--client-cert FILE --client-key FILE/,
  },
  {
    name: 'wants a password that nobody gave',
    start: plain({auth: {type: 'basic', users}}),
    error: /asks for a credential and none was found; looked in .*auth\.json: no file/,
    hint: /--username/,
  },
  {
    name: 'wants a password, though --need-credential=false says that it does not',
    start: plain({auth: {type: 'token', users}}),
    flags: ['--need-credential=false'],
    error: /asks for a credential, and none is sent because need-credential is false/,
    hint: /Leave out need-credential=false/,
  },
  {
    name: 'refuses the password, with basic authentication',
    start: plain({auth: {type: 'basic', users}}),
    flags: as('pusher', 'wrong-password'),
    error: /refuses the user name "pusher"/,
    hint: /user name and the password/,
  },
  {
    name: 'refuses the password, with tokens',
    start: plain({auth: {type: 'token', users}}),
    flags: as('pusher', 'wrong-password'),
    error: /refuses the user name "pusher"/,
    hint: /user name and the password/,
  },
  {
    name: 'gives the account no right to push, with basic authentication',
    start: plain({auth: {type: 'basic', users}}),
    flags: as('reader'),
    error: /team\/app/,
    hint: /right to push/,
  },
  {
    name: 'gives the account no right to push, with tokens',
    start: plain({auth: {type: 'token', users}}),
    flags: as('reader'),
    error: /team\/app/,
    hint: /right to push/,
  },
  {
    name: 'says 401 to an account without the right to push',
    start: plain({auth: {type: 'token', users, refusal: 401}}),
    flags: as('reader'),
    error: /team\/app/,
    hint: /right to push/,
  },
  {
    name: 'has no such project',
    start: plain({projects: ['library']}),
    error: /NAME_UNKNOWN/,
    hint: /Create the project/,
  },
  {
    name: 'answers 500 to everything',
    start: plain({faults: [{times: always, fault: {type: 'status', status: 500, body: 'oops'}}]}),
    error: /500 Internal Server Error: oops/,
    hint: /registry's log/,
  },
  {
    name: 'answers 500 to manifests',
    start: plain({
      faults: [{match: {kind: 'manifest-put'}, times: always, fault: {type: 'status', status: 500}}],
    }),
    error: /cannot push the manifest of .*team\/app.*500/,
    hint: /registry's log/,
  },
  {
    name: 'answers a page of HTML, as a web server does',
    start: plain({
      faults: [
        {
          times: always,
          fault: {
            type: 'status',
            status: 404,
            headers: {'content-type': 'text/html'},
            body: '<h1>Not here</h1>',
          },
        },
      ],
    }),
    error: /404 Not Found/,
    hint: /the host, the port and the namespace/,
  },
  {
    name: 'resets every connection',
    start: plain({faults: [{times: always, fault: {type: 'reset-before'}}]}),
    error: /127\.0\.0\.1:\d+/,
    hint: /./,
  },
  {
    name: 'has a tag that cannot be moved',
    start: async () => {
      const registry = await plain({immutableTags: true})()
      const {root, blobs} = await makeImage({seed: 'taken'})
      for (const {bytes} of blobs) await registry.addBlob('team/app', bytes)
      const {mediaType} = root.descriptor
      registry.addManifest({repository: 'team/app', reference: 'v1', mediaType, bytes: root.bytes})
      return registry
    },
    error: /team\/app:v1.*412/,
    hint: /immutable/,
  },
]

describe('exit code 1, an error of the target side and a hint for a registry that', () => {
  let directory: TempDir
  let authority: Authority
  let source: string

  beforeAll(async () => {
    directory = await makeTempDir()
    authority = await makeAuthority()
    await writeFile(join(directory.path, 'ca.pem'), authority.ca)
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', await makeImage({seed: 'bad-registry'})),
    ])
  })
  afterAll(() => directory.remove())

  test.each(cases)('$name', async ({start, flags = [], scheme, error, hint}) => {
    await using registry = await start(authority)
    const before = registry.tags('team/app').length
    const {code, stderr} = await push({
      source,
      registry: scheme === undefined ? registry : {...registry, host: registry.host, url: `${scheme}:`},
      flags: ['--retries', '0', '--cacert', join(directory.path, 'ca.pem'), ...flags],
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 1})
    expect(errorsOf('target', stderr)).toMatch(error)
    expect(stderr).toMatch(new RegExp(`^hint: .*(?:${hint.source})`, 'm'))
    expect(stderr).not.toMatch(/\n\s+at |secret|wrong-password/)
    expect(registry.tags('team/app')).toHaveLength(before)
    expect(faultsIn(registry)).toEqual([])
  })

  test('is down', async () => {
    const registry = await startRegistry()
    await registry.close()
    const {code, stderr} = await push({source, registry, flags: ['--retries', '0']})
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: target: .*refuses the connection.*\nhint: Check that the registry is running/m,
    )
  })

  test('is down, with the proof that a name nobody knows is another matter', async () => {
    const {code, stderr} = await push({
      source,
      registry: {host: 'no-such-host.invalid', url: 'https:'},
      flags: ['--retries', '5'],
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: target: the name no-such-host\.invalid is not known.*\nhint: Check the spelling/m,
    )
  })
})

describe('exit code 3 where a registry refuses one image of two', () => {
  const refusals: readonly (readonly [string, RegistryOptions])[] = [
    ['its project does not exist', {projects: ['good']}],
    [
      'its manifest is answered with 500',
      {
        faults: [
          {match: {kind: 'manifest-put', path: /bad/}, times: always, fault: {type: 'status', status: 500}},
        ],
      },
    ],
    [
      'its blobs are answered with 507',
      {faults: [{match: {kind: 'commit', path: /bad/}, times: always, fault: {type: 'status', status: 507}}]},
    ],
    [
      'its blobs are over a quota',
      {
        faults: [
          {
            match: {kind: 'commit', path: /bad/},
            times: always,
            fault: {
              type: 'status',
              status: 403,
              body: '{"errors":[{"code":"DENIED","message":"adding 1 MiB of storage resource, which when updated to current usage of 9 MiB will exceed the configured upper limit of 9 MiB."}]}',
            },
          },
        ],
      },
    ],
  ]
  test.each(refusals)('%s', async (_name, options) => {
    await using directory = await makeTempDir()
    await using registry = await startRegistry({...options, strict: true})
    const source = await writeOciBundle(directory.path, [
      named('gcr.io/good/app:v1', await makeImage({seed: 'good'})),
      named('gcr.io/bad/app:v1', await makeImage({seed: 'bad'})),
    ])
    const {code, stderr, report} = await push({source, registry, flags: ['--retries', '0']})
    expect({code}, `printed: ${stderr}`).toEqual({code: 3})
    expect(report.outcome).toBe('partial')
    expect(report.images.map(({status}) => status)).toEqual(['pushed', 'failed'])
    expect(report.images[1]?.error?.hint).toBeTruthy()
    expect(stderr).toMatch(/^error: target: .*bad\/app/m)
    expect(registry.tags('good/app')).toEqual(['v1'])
    expect(registry.tags('bad/app')).toEqual([])
    expect(registry.fsck()).toEqual([])
  })
})
