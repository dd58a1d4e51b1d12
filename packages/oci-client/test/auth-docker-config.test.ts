import {describe, expect, it} from 'vitest'
import {
  findCredential,
  hasRepositoryKeys,
  parseDockerConfig,
  type RunHelper,
} from '#src/auth/docker-config.js'
import type {Credential} from '#src/auth/credential.js'
import {MirrorError} from '#src/model/index.js'

function auth(login: string): {readonly auth: string} {
  return {auth: Buffer.from(login).toString('base64')}
}

const noHelper: RunHelper = async (name) => {
  throw new Error(`helper ${name} was run`)
}

async function find(
  json: unknown,
  wanted: string,
  runHelper: RunHelper = noHelper,
): Promise<(Credential & {readonly origin?: string}) | undefined> {
  const config = parseDockerConfig(typeof json === 'string' ? json : JSON.stringify(json), {
    path: 'config.json',
  })
  const slash = wanted.indexOf('/')
  const registry = slash < 0 ? wanted : wanted.slice(0, slash)
  const repository = slash < 0 ? undefined : wanted.slice(slash + 1)
  const found = await findCredential(config, {registry, repository}, {runHelper})
  return found?.credential
}

/** Which of these keys a registry or a repository gets its credential from. */
async function keyFor(keys: readonly string[], wanted: string): Promise<string | undefined> {
  const auths = Object.fromEntries(keys.map((key, index) => [key, auth(`${index}:p`)]))
  const found = await find({auths}, wanted)
  return found?.kind === 'basic' ? keys[Number(found.username)] : undefined
}

describe('the key of an entry', () => {
  const HUB = 'https://index.docker.io/v1/'
  it.each<[readonly string[], string, string | undefined]>([
    [['reg.io'], 'reg.io/a', 'reg.io'],
    [['reg.io:5000'], 'reg.io:5000/a', 'reg.io:5000'],
    [['https://reg.io'], 'reg.io/a', 'https://reg.io'],
    [['https://reg.io/v1/'], 'reg.io/a', 'https://reg.io/v1/'],
    [['http://reg.io:5000/v2/'], 'reg.io:5000', 'http://reg.io:5000/v2/'],
    [['https://reg.io/some/page'], 'reg.io/a', 'https://reg.io/some/page'],
    [['reg.io/'], 'reg.io/a', 'reg.io/'],
    [['reg.io/v1/'], 'reg.io/a', 'reg.io/v1/'],
    [['REG.io'], 'reg.io/a', 'REG.io'],
    [['https://reg.io', 'reg.io'], 'reg.io/a', 'reg.io'],
    [[HUB], 'docker.io/library/a', HUB],
    [[HUB], 'index.docker.io/library/a', HUB],
    [[HUB], 'registry-1.docker.io', HUB],
    [['docker.io'], 'docker.io/library/a', 'docker.io'],
    [['docker.io', HUB, 'index.docker.io'], 'docker.io/x/y', 'docker.io'],
    [['reg/ns/u/img', 'reg/ns/u', 'reg/ns', 'reg'], 'reg/ns/u/img', 'reg/ns/u/img'],
    [['reg/ns/u', 'reg/ns', 'reg'], 'reg/ns/u/img', 'reg/ns/u'],
    [['reg', 'reg/ns'], 'reg/ns/u/img', 'reg/ns'],
    [['reg/ns', 'reg'], 'reg/other/img', 'reg'],
    [['reg/ns'], 'reg/nsx/img', undefined],
    [['reg/ns'], 'reg', 'reg/ns'],
    [['reg/ns', 'reg'], 'reg', 'reg'],
    [['reg.io'], 'reg.io:443/a', undefined],
    [['reg.io:5000'], 'reg.io/a', undefined],
    [['reg.io'], 'evil-reg.io/a', undefined],
    [['reg.io'], 'reg.io.evil/a', undefined],
    [['reg.io.evil'], 'reg.io/a', undefined],
    [['https://evil/reg.io'], 'reg.io/a', undefined],
    [['docker.io'], 'evil/docker.io', undefined],
    [['*'], 'reg.io/a', undefined],
    [[''], 'reg.io/a', undefined],
  ])('of %j is for %s: %s', async (keys, wanted, expected) => {
    expect(await keyFor(keys, wanted)).toBe(expected)
  })

  it('tells files in which repositories differ', () => {
    const config = parseDockerConfig(JSON.stringify({auths: {'reg/ns': {}, 'https://other/v1/': {}}}), {
      path: 'f',
    })
    expect(hasRepositoryKeys(config, 'reg')).toBe(true)
    expect(hasRepositoryKeys(config, 'other')).toBe(false)
  })
})

describe('an entry', () => {
  it.each<[string, unknown, Credential | undefined]>([
    ['auth', auth('bob:secret'), {kind: 'basic', username: 'bob', password: 'secret'}],
    ['a password with colons', auth('bob:a:b:'), {kind: 'basic', username: 'bob', password: 'a:b:'}],
    [
      'a password with NUL at its end',
      auth('bob:secret\0\0'),
      {kind: 'basic', username: 'bob', password: 'secret'},
    ],
    ['UTF-8', auth('bób:pässwörd'), {kind: 'basic', username: 'bób', password: 'pässwörd'}],
    ['no padding', {auth: 'Ym9iOnB3'}, {kind: 'basic', username: 'bob', password: 'pw'}],
    ['username and password', {username: 'u', password: 'p'}, {kind: 'basic', username: 'u', password: 'p'}],
    [
      'auth over username',
      {...auth('a:b'), username: 'u', password: 'p'},
      {kind: 'basic', username: 'a', password: 'b'},
    ],
    [
      'identitytoken',
      {...auth('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh'},
      {kind: 'identity-token', token: 'refresh', username: '00000000-0000-0000-0000-000000000000'},
    ],
    ['identitytoken alone', {identitytoken: 'refresh'}, {kind: 'identity-token', token: 'refresh'}],
    ['registrytoken', {registrytoken: 'ready', identitytoken: 'refresh'}, {kind: 'bearer', token: 'ready'}],
    ['nothing', {}, undefined],
    ['an email', {email: 'bob@example'}, undefined],
    ['a text', 'bob:secret', undefined],
  ])('with %s is read', async (_what, entry, expected) => {
    const found = await find({auths: {reg: entry}}, 'reg/a')
    expect(found).toEqual(expected && {...expected, origin: 'config.json (reg)'})
  })

  it.each([
    ['no base64', '!!!secret', 'is not base64'],
    ['no colon', Buffer.from('secret').toString('base64'), 'holds no user name and password'],
  ])('with %s is refused by file and key, and not shown', async (_what, text, message) => {
    const config = {auths: {'https://reg/v1/': {auth: text}}}
    await expect(find(config, 'reg/a')).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: `config.json: the auth of "https://reg/v1/" ${message}`,
    })
    expect(await find(config, 'other/a')).toBeUndefined()
  })

  it('may stand in a .dockercfg with nothing around it', async () => {
    expect(await find({'https://index.docker.io/v1/': auth('bob:p')}, 'docker.io/a/b')).toMatchObject({
      username: 'bob',
    })
  })
})

describe('a file', () => {
  it.each([
    ['{"auths": {"reg": {"auth": "c2VjcmV0"', 'config.json is not JSON'],
    ['[]', 'config.json is not a JSON object'],
    ['null', 'config.json is not a JSON object'],
    ['{"auths": []}', 'config.json: auths is not an object'],
    ['{"credHelpers": "x"}', 'config.json: credHelpers is not an object'],
  ])('%s is refused', (text, message) => {
    let thrown: unknown
    try {
      parseDockerConfig(text, {path: 'config.json'})
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({code: 'CREDENTIALS_INVALID', message})
    expect((thrown as Error).cause).toBeUndefined()
  })

  it.each(['', '  \n', '{}', '\uFEFF{}', '{"HttpHeaders": {"x": "y"}, "proxies": {}}', '{"auths": null}'])(
    '%j holds nothing',
    async (text) => {
      expect(await find(text, 'reg/a')).toBeUndefined()
    },
  )
})

describe('a helper', () => {
  const recording = (
    answers: Readonly<Record<string, Credential>>,
  ): RunHelper & {readonly runs: string[]} => {
    const runs: string[] = []
    const run: RunHelper = async (name, server) => {
      runs.push(`${name} ${server}`)
      return answers[`${name} ${server}`]
    }
    return Object.assign(run, {runs})
  }
  const login: Credential = {kind: 'basic', username: 'helped', password: 'p'}
  const config = {
    auths: {reg: auth('filed:p'), other: auth('filed:p'), off: auth('filed:p')},
    credHelpers: {reg: 'own', off: ''},
    credsStore: 'all',
  }

  it.each([
    ['reg/a', ['own reg'], 'filed'],
    ['other/a', ['all other'], 'filed'],
    ['off/a', [], 'filed'],
    ['docker.io/a/b', ['all https://index.docker.io/v1/', 'all docker.io'], undefined],
  ])('for %s is asked as %j and may leave it to the entries', async (wanted, runs, username) => {
    const helper = recording({})
    const found = await find(config, wanted, helper)
    expect(helper.runs).toEqual(runs)
    expect(found?.kind === 'basic' ? found.username : undefined).toBe(username)
  })

  it.each(['reg/a', 'other/a'])(
    'that fails leaves %s to the entries, and the origin says so',
    async (wanted) => {
      const failing: RunHelper = async (name) => {
        throw new MirrorError('CREDENTIALS_INVALID', `docker-credential-${name} is not installed`)
      }
      const found = await find(config, wanted, failing)
      expect(found).toMatchObject({kind: 'basic', username: 'filed'})
      expect(found?.origin).toMatch(/^config.json \(\w+\), since docker-credential-\w+ is not installed$/)
      await expect(find({credsStore: 'all'}, wanted, failing)).rejects.toMatchObject({
        code: 'CREDENTIALS_INVALID',
      })
    },
  )

  it('of its own comes before the one for all, and before the entries', async () => {
    const found = await find(
      config,
      'reg/a',
      recording({'own reg': login, 'all reg': {...login, username: 'no'}}),
    )
    expect(found).toEqual({...login, origin: 'docker-credential-own, which config.json names'})
  })

  it.each(['reg.io', 'https://reg.io', 'https://reg.io/v1/'])('is found under %s', async (key) => {
    const helper = recording({'own reg.io': login})
    expect(await find({credHelpers: {[key]: 'own'}}, 'reg.io/a', helper)).toMatchObject({username: 'helped'})
  })

  it('is not named for a part of a registry', async () => {
    expect(await find({credHelpers: {'reg/ns': 'own'}}, 'reg/ns/a')).toBeUndefined()
  })
})
