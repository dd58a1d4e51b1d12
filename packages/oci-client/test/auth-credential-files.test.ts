import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {execFileSync} from 'node:child_process'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {credentialsFromFiles} from '#src/auth/credential-files.js'
import {usualCredentialFiles, type CredentialFile} from '#src/auth/credential-places.js'
import type {RunHelper} from '#src/auth/docker-config.js'
import {authRequired} from '#src/auth/refusal.js'
import {MirrorError} from '#src/model/index.js'

describe('the usual places', () => {
  const places = (
    env: Record<string, string>,
    platform: NodeJS.Platform = 'linux',
    uid: number | undefined = 1000,
  ): readonly string[] =>
    usualCredentialFiles({
      env,
      home: platform === 'win32' ? String.raw`C:\Users\bob` : '/home/bob',
      uid,
      platform,
    }).map(({path, kind, text}) => [kind, path, ...(text === undefined ? [] : [text])].join(' '))

  it('are podman’s, then docker’s, then the legacy file', () => {
    expect(places({})).toEqual([
      'podman /run/containers/1000/auth.json',
      'podman /home/bob/.config/containers/auth.json',
      'docker /home/bob/.docker/config.json',
      'dockercfg /home/bob/.dockercfg',
    ])
  })

  it('follow the variables, which come first where they name a file', () => {
    expect(
      places({
        REGISTRY_AUTH_FILE: '/a/auth.json',
        DOCKER_AUTH_CONFIG: '{}',
        DOCKER_CONFIG: '/d',
        XDG_RUNTIME_DIR: '/run/user/1000',
        XDG_CONFIG_HOME: '/c',
      }),
    ).toEqual([
      'podman /a/auth.json',
      'docker $DOCKER_AUTH_CONFIG {}',
      'docker /d/config.json',
      'podman /run/user/1000/containers/auth.json',
      'podman /c/containers/auth.json',
      'dockercfg /home/bob/.dockercfg',
    ])
  })

  it('take an empty variable for none', () => {
    expect(places({DOCKER_CONFIG: '', XDG_RUNTIME_DIR: '', DOCKER_AUTH_CONFIG: ''})).toEqual(places({}))
  })

  it.each(['darwin', 'win32'] as const)('know no /run on %s', (platform) => {
    const found = places({}, platform, platform === 'win32' ? undefined : 501)
    expect(found).toHaveLength(3)
    expect(found[0]).toBe(
      platform === 'win32'
        ? String.raw`podman C:\Users\bob\.config\containers\auth.json`
        : 'podman /home/bob/.config/containers/auth.json',
    )
  })
})

describe('credentials from files', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mirror-auth-'))
  })
  afterEach(async () => {
    await rm(directory, {recursive: true, force: true})
  })

  const file = async (
    name: string,
    contents: unknown,
    extra: Partial<CredentialFile> = {},
  ): Promise<CredentialFile> => {
    const path = join(directory, name)
    if (contents !== undefined)
      await writeFile(path, typeof contents === 'string' ? contents : JSON.stringify(contents))
    return {path, kind: 'docker', ...extra}
  }
  const entry = (login: string) => ({auth: Buffer.from(login).toString('base64')})
  const broken: RunHelper = async (name) => {
    throw new MirrorError('CREDENTIALS_INVALID', `docker-credential-${name} is not installed`)
  }
  const ask = {registry: 'reg:5000', repository: 'ns/a', refused: false}

  it('come from the first that has any, and every place is remembered', async () => {
    const files = [
      await file('missing.json', undefined),
      await file('bad.json', '{"auths"'),
      await file('other.json', {auths: {other: entry('no:no')}}),
      await file('desktop.json', {credsStore: 'desktop'}),
      await file('rotten.json', {auths: {'reg:5000': {auth: '!'}}}),
      await file('good.json', {auths: {'reg:5000': entry('bob:p')}}),
      await file('later.json', {auths: {'reg:5000': entry('late:p')}}),
    ]
    const {provider, lookedIn} = credentialsFromFiles(files, {runHelper: broken})
    expect(await provider(ask)).toEqual({
      kind: 'basic',
      username: 'bob',
      password: 'p',
      origin: `${join(directory, 'good.json')} (reg:5000)`,
    })
    expect(lookedIn('reg:5000').map(({place, found}) => [place.slice(directory.length + 1), found])).toEqual([
      ['missing.json', 'no file'],
      ['bad.json', 'malformed'],
      ['other.json', 'no entry'],
      ['desktop.json', 'helper failed'],
      ['rotten.json', 'malformed'],
      ['good.json (reg:5000)', 'credential'],
    ])
    const {message} = authRequired({registry: 'reg:5000', side: 'target', lookedIn: lookedIn('reg:5000')})
    expect(message.replaceAll(`${directory}/`, '')).toBe(
      [
        'reg:5000 asks for a credential and none was found; looked in missing.json: no file',
        'bad.json: malformed (bad.json is not JSON)',
        'other.json: no entry',
        'desktop.json: helper failed (docker-credential-desktop is not installed)',
        'rotten.json: malformed (rotten.json: the auth of "reg:5000" is not base64)',
        'good.json (reg:5000): credential',
      ].join('; '),
    )
    expect(lookedIn('never-asked')).toEqual([])
  })

  it.each([
    ['is missing', undefined, /^cannot read the Docker config .*: there is no such file$/],
    ['is no JSON', '{', /is not JSON$/],
    ['has a bad entry', {auths: {'reg:5000': {auth: '!'}}}, /is not base64$/],
    [
      'names a helper that is missing',
      {credsStore: 'desktop'},
      /docker-credential-desktop is not installed$/,
    ],
  ])('are an error where the file that the user named %s', async (_what, contents, message) => {
    const named = await file('named.json', contents, {named: true})
    const {provider} = credentialsFromFiles([named], {runHelper: broken})
    await expect(provider(ask)).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('pass a directory, a pipe, a huge file and one that may not be read', async () => {
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    await mkdir(join(directory, 'folder'))
    const closed = await file('closed.json', {auths: {'reg:5000': entry('bob:p')}})
    await chmod(closed.path, 0)
    const huge = await file('huge.json', `{"a":"${'x'.repeat(9_000_000)}"}`)
    const files: CredentialFile[] = [
      {path: pipe, kind: 'docker'},
      {path: join(directory, 'folder'), kind: 'docker'},
      huge,
    ]
    // Root may read anything.
    if (process.getuid?.() !== 0) files.push(closed)
    const {provider, lookedIn} = credentialsFromFiles(files, {runHelper: broken})
    expect(await provider(ask)).toBeUndefined()
    expect(lookedIn('reg:5000').map(({found}) => found)).toEqual(files.map(() => 'unreadable'))
  })

  it('are read again after a refusal', async () => {
    const files = [await file('config.json', {auths: {'reg:5000': entry('bob:old')}})]
    const {provider} = credentialsFromFiles(files, {runHelper: broken})
    expect(await provider(ask)).toMatchObject({password: 'old'})
    await file('config.json', {auths: {'reg:5000': entry('bob:new')}})
    expect(await provider(ask)).toMatchObject({password: 'old'})
    expect(await provider({...ask, refused: true})).toMatchObject({password: 'new'})
  })

  it('cost one run of a helper for all repositories, and another one after a refusal', async () => {
    let runs = 0
    const runHelper: RunHelper = async () => ({kind: 'basic', username: 'AWS', password: `${(runs += 1)}`})
    const files = [await file('config.json', {credsStore: 'ecr', auths: {'reg:5000/ns': {}}})]
    const {provider} = credentialsFromFiles(files, {runHelper})
    expect(await provider(ask)).toMatchObject({password: '1', repositoryOnly: true})
    expect(await provider({...ask, repository: 'ns/b'})).toMatchObject({password: '1'})
    expect(await provider({...ask, refused: true})).toMatchObject({password: '2'})
  })

  it('hold for one repository only where a file says that others differ', async () => {
    const files = [
      await file('auth.json', {auths: {'reg:5000/other': entry('other:p')}}),
      await file('config.json', {
        auths: {'reg:5000': entry('bob:p'), 'reg2/x': entry('x:p'), reg2: entry('y:p')},
      }),
    ]
    const {provider} = credentialsFromFiles(files, {runHelper: broken})
    expect(await provider(ask)).toMatchObject({username: 'bob', repositoryOnly: true})
    expect(await provider({...ask, repository: 'other/b'})).toMatchObject({
      username: 'other',
      repositoryOnly: true,
    })
    expect(await provider({registry: 'reg3', refused: false})).toBeUndefined()
  })

  it('may come as a text', async () => {
    const text = JSON.stringify({auths: {'reg:5000': entry('bob:p')}})
    const {provider} = credentialsFromFiles([{path: '$DOCKER_AUTH_CONFIG', kind: 'docker', text}], {
      runHelper: broken,
    })
    expect(await provider(ask)).toMatchObject({origin: '$DOCKER_AUTH_CONFIG (reg:5000)'})
    expect(await provider({...ask, refused: true})).toMatchObject({username: 'bob'})
  })
})
