import {mkdir, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeImage,
  makeTempDir,
  runMirror,
  startProxy,
  type ChildResult,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type FaultRule, type RegistryOptions} from '@airgap-mirror/test/registry'
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest'
import {argv} from '../e2e/argv.js'
import {named, writeOciBundle} from '../e2e/push.js'
import {startFront, type Passing, type Twist} from './front.js'
import {broken, logins, type Login} from './planted-logins.js'
import {formsOf, leaksIn, planted, USER} from './planted-secrets.js'

vi.setConfig({maxConcurrency: 4})

const users = [{name: USER, password: planted.password}]

let directory: TempDir
let source: string

beforeAll(async () => {
  directory = await makeTempDir()
  source = await writeOciBundle(
    directory.path,
    await Promise.all(
      ['one', 'two'].map(async (seed) =>
        named(
          `gcr.io/team/${seed}:v1`,
          await makeImage({seed, layers: 1, layerSize: 1_200_000, content: 'random'}),
        ),
      ),
    ),
  )
})
afterAll(() => directory.remove())

const voices: Readonly<Record<string, readonly string[]>> = {
  quiet: argv`--quiet`,
  plain: argv`--progress plain`,
  json: argv`--progress json --json`,
  verbose: argv`--verbose --progress plain --json`,
}

const tokens: RegistryOptions = {auth: {type: 'token', users, identityTokens: {[USER]: planted.identity}}}
/** Answers like a careless registry, which quotes the whole request in every form. */
function quoting(status: number) {
  return ({method, authorization = ''}: Passing): Twist | undefined => {
    if (method === 'GET' || method === 'HEAD') return undefined
    const [, value = ''] = authorization.split(' ')
    const decoded = authorization.startsWith('Basic ') ? Buffer.from(value, 'base64').toString() : value
    const store = `https://${USER}:${planted.signature}@store.example/x?X-Amz-Signature=${planted.signature}&b=1`
    const message = `not with ${decoded}, ${value}, authorization: ${authorization}, not at ${store}`
    const detail = {headers: {Authorization: authorization}, password: decoded.split(':').slice(1).join(':')}
    return {type: 'status', status, body: JSON.stringify({errors: [{code: 'DENIED', message, detail}]})}
  }
}
const always = Number.POSITIVE_INFINITY
function rules(fault: FaultRule['fault'], times = always): RegistryOptions {
  return {
    faults: [{match: {kind: ['start', 'send', 'commit', 'manifest-put']}, times, fault}],
  }
}
const situations: Readonly<Record<string, RegistryOptions>> = {
  'all goes well, with tokens that run out': {
    auth: {type: 'token', users, usesPerToken: 4, identityTokens: {[USER]: planted.identity}},
  },
  'all goes well, with uploads at another origin': {...tokens, locations: 'cross-origin'},
  'every upload fails': {...tokens, ...rules({type: 'status', status: 500})},
  'every upload is led astray': {
    ...tokens,
    ...rules({
      type: 'location',
      form: 'exactly',
      value: `gopher://${USER}:${planted.signature}@x/?sig=${planted.signature}`,
    }),
  },
  'every connection breaks': {...tokens, ...rules({type: 'reset-before'})},
  'the login is refused': {auth: {type: 'basic', users: [{name: USER, password: 'another'}]}},
  'the token is refused': {auth: {type: 'token', users: [{name: USER, password: 'another'}]}},
}

interface Run extends ChildResult {
  /** All that anybody may read afterwards. */
  readonly said: string
}

async function run(
  host: string,
  {login, flags, place}: {readonly login: Login; readonly flags: readonly string[]; readonly place: string},
): Promise<Run> {
  const home = join(place, 'home')
  await mkdir(home, {recursive: true})
  const result = await runMirror(
    argv`push --source ${source} --private-registry ${host}/ns --plain-http --retries 1 --retry-max-wait 1s
      --report ${join(place, 'report.json')} --failed ${join(place, 'failed.txt')}
      --trace ${join(place, 'trace.json')} ${login.flags} ${flags}`,
    {home, anywhere: true, stdin: login.stdin, env: login.env ?? {}},
  )
  const files = await filesBelow(place)
  const written = await Promise.all(
    files.filter((path) => !path.includes('planted-')).map((path) => readFile(path, 'latin1')),
  )
  return {...result, said: [result.stdout, result.stderr, ...written].join('\n')}
}

async function filesBelow(path: string): Promise<readonly string[]> {
  return (await readdir(path, {recursive: true, withFileTypes: true}))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test('the search finds what is there', () => {
  for (const [name, secret] of Object.entries(planted)) {
    for (const form of formsOf(secret)) expect(leaksIn(`... ${form} ...`)).toContain(name)
  }
  expect(leaksIn('nothing of the kind')).toEqual([])
})

describe('no secret is said', {concurrent: true}, () => {
  // Each login meets each situation once, and each voice every login and every situation.
  const cases = Object.entries(situations).flatMap(([situation, served], row) =>
    Object.entries(logins).map(([login, make], column) => {
      const [voice, flags] = Object.entries(voices)[(row + column) % 4] ?? ['', []]
      return [`${login}, where ${situation} (${voice})`, {make, served, flags}] as const
    }),
  )
  test.each(cases)('of %s', async (_name, {make, served, flags}) => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(served)
    const login = await make(place.path, registry.host)
    const {said} = await run(registry.host, {login, flags, place: place.path})
    expect(leaksIn(said, registry)).toEqual([])
    expect(registry.requests.length).toBeGreaterThan(0)
  })

  const quoted = Object.entries(logins).flatMap(([login, make]) => [
    [`${login}, which a registry with tokens quotes back`, make, tokens, 403] as const,
    [`${login}, which a registry quotes back`, make, {auth: {type: 'basic', users}} as const, 500] as const,
  ])
  test.each(quoted)('of %s', async (_name, make, served, status) => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(served)
    await using front = await startFront(registry, quoting(status))
    const login = await make(place.path, front.host)
    const {said} = await run(front.host, {login, flags: argv`--verbose --json`, place: place.path})
    expect(leaksIn(said, registry)).toEqual([])
  })

  test.each(Object.entries(broken))('of %s', async (_name, make) => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(tokens)
    const login = await make(place.path, registry.host)
    const {said, code} = await run(registry.host, {login, flags: argv`--verbose`, place: place.path})
    expect(code).not.toBe(0)
    expect(leaksIn(said, registry)).toEqual([])
  })
})

describe('no secret is said of', {concurrent: true}, () => {
  const verbose = argv`--verbose --json`
  const byPassword: Login = {flags: argv`--username ${USER} --password-stdin`, stdin: planted.password}
  const behind = async (
    twistOf: (passing: Passing) => Twist | undefined,
    served: RegistryOptions = tokens,
  ): Promise<{readonly run: Run; readonly leaks: readonly string[]}> => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(served)
    await using front = await startFront(registry, twistOf)
    const result = await run(front.host, {login: byPassword, flags: verbose, place: place.path})
    return {run: result, leaks: leaksIn(result.said, registry)}
  }

  test.each([
    ['that answers', (host: string) => `http://${host}/token?apikey=${planted.realm}`],
    ['that is not there', () => `http://127.0.0.1:9/token?apikey=${planted.realm}`],
    ['with a user name', (host: string) => `http://${USER}:${planted.realm}@${host}/token`],
    ['that is not a URL', () => `not a url ${planted.realm}`],
    ['that is led on', (host: string) => `http://${host}/v2/?apikey=${planted.realm}`],
  ])('a realm %s', async (_what, realmOf) => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(tokens)
    await using front = await startFront(registry, ({status}) =>
      status === 401
        ? {
            type: 'headers',
            headers: {'www-authenticate': `Bearer realm="${realmOf(registry.host)}",service="s"`},
          }
        : undefined,
    )
    const {said} = await run(front.host, {login: byPassword, flags: verbose, place: place.path})
    expect(leaksIn(said, registry)).toEqual([])
  })

  // A question that cannot be answered leaves the decision to the write; a host that is not there fails the run.
  test.each([
    [`http://127.0.0.1:9/store?X-Amz-Signature=${planted.signature}`, 1],
    [`http://${USER}:${planted.signature}@127.0.0.1:9/store`, 0],
    [`ftp://127.0.0.1/store?sig=${planted.signature}`, 0],
    [`//[bad/store?sig=${planted.signature}`, 0],
  ])('a redirect to %s', async (location, code) => {
    const {run: result, leaks} = await behind(({method}) =>
      method === 'HEAD' ? {type: 'status', status: 307, headers: {location}} : undefined,
    )
    expect(result.code).toBe(code)
    expect(leaks).toEqual([])
  })

  test.each([
    ['that lets it through', {auth: {user: 'p', password: planted.proxy}}, 'right'],
    ['that refuses it', {auth: {user: 'p', password: 'another'}}, 'right'],
    ['that fails', {refuseWith: 503}, 'right'],
    ['that is not there', {}, 'gone'],
  ] as const)('a proxy %s', async (_what, options, where) => {
    await using place = await makeTempDir()
    await using registry = await startRegistry(tokens)
    await using proxy = await startProxy({names: {'registry.invalid': registry.host}, ...options})
    const url = `http://p:${planted.proxy}@${where === 'gone' ? '127.0.0.1:9' : proxy.host}`
    const viaFlag = await run('registry.invalid', {
      login: byPassword,
      flags: argv`${verbose} --proxy ${url}`,
      place: place.path,
    })
    const viaEnvironment = await run('registry.invalid', {
      login: {...byPassword, env: {HTTP_PROXY: url}},
      flags: verbose,
      place: place.path,
    })
    expect([viaFlag, viaEnvironment].flatMap(({said}) => leaksIn(said, registry))).toEqual([])
  })

  test.each([
    [
      'a target with a login in it',
      argv`--private-registry https://${USER}:${planted.password}@127.0.0.1/ns`,
    ],
    [
      'a target with a login and no scheme',
      argv`--private-registry ${USER}:${planted.password}@127.0.0.1/ns`,
    ],
    ['a proxy that is none', argv`--private-registry 127.0.0.1:9/ns --proxy http://p:${planted.proxy}@[bad/`],
    [
      'a proxy of another kind',
      argv`--private-registry 127.0.0.1:9/ns --proxy gopher://p:${planted.proxy}@x:1`,
    ],
  ])('%s', async (_what, flags) => {
    const {code, stdout, stderr} = await runMirror(
      argv`push --source ${source} --plain-http --verbose ${flags}`,
      {anywhere: true},
    )
    expect(code).not.toBe(0)
    expect(leaksIn(stdout + stderr)).toEqual([])
  })
})
