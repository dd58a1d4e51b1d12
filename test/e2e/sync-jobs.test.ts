import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {generateKeyPairSync} from 'node:crypto'
import {makeImage, addImage, cleanEnvironment} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {syncScene, type SyncRun, type SyncScene} from './sync.js'

describe('a job file', () => {
  let scene: SyncScene
  let host: string
  let jobs = 0

  beforeAll(async () => {
    scene = await syncScene()
    host = scene.source.host
    const tags = [
      'v1.29.9',
      'v1.30.0',
      'v1.30.1',
      'v1.31.0-rc.1',
      'v1.31.0',
      'v2.0.0',
      'latest',
      'nightly-debug',
    ]
    for (const tag of tags) await scene.add(`team/tool:${tag}`)
    await scene.add('team/app:v1')
    await scene.add('other/app:v1')
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  /** Returns the tags after a job on an empty target. */
  const tagsAfter = async (body: string, run: SyncRun = {}): Promise<readonly string[]> => {
    const namespace = `job-${++jobs}`
    const config = await scene.write(
      'mirror.yaml',
      `jobs:\n  - name: job\n    targets: ${scene.target.host}/${namespace}\n${body}`,
    )
    const {code, stderr} = await scene.quietly(argv`--config ${config}`, {into: false, ...run})
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    return scene.target
      .repositories()
      .filter((name) => name.startsWith(`${namespace}/`))
      .flatMap((name) => scene.target.tags(name).map((tag) => `${name.slice(namespace.length + 1)}:${tag}`))
      .toSorted()
  }
  const tools = (...tags: readonly string[]): readonly string[] => tags.map((tag) => `team/tool:${tag}`)

  test.each([
    ['semver', `{semver: '>=1.30 <2'}`, ['v1.30.0', 'v1.30.1', 'v1.31.0']],
    ['semver, with prereleases', `{semver: '>=1.31.0-0 <2', prereleases: true}`, ['v1.31.0', 'v1.31.0-rc.1']],
    ['newest', '{newest: 2}', ['v1.31.0', 'v2.0.0']],
    ['glob', `{glob: 'v1.30.*'}`, ['v1.30.0', 'v1.30.1']],
    ['regex', `{regex: '^v1\\.(29|30)\\.'}`, ['v1.29.9', 'v1.30.0', 'v1.30.1']],
    ['exact', `[latest, v2.0.0]`, ['latest', 'v2.0.0']],
    ['exclude', `{exclude: ['v*', '*-debug']}`, ['latest']],
    ['a union', `[latest, {semver: '1.30.x', newest: 1}]`, ['latest', 'v1.30.1']],
  ])('chooses tags by %s', async (_name, filter, tags) => {
    const made = await tagsAfter(
      `    repositories:\n      - {repository: ${host}/team/tool, tags: ${filter}}\n`,
    )
    expect(made).toEqual(tools(...tags))
  })

  test('is overruled by flags: --map takes the place of the names in it', async () => {
    const map = await scene.write('map.txt', `${host}/team/app:v1 by-flag:v1\n`)
    const body = `    references: ['${host}/team/app:v1']\n    map: {'${host}/team/app:v1': 'by-file:v1'}\n`
    expect(await tagsAfter(body)).toEqual(['by-file:v1'])
    const config = join(scene.directory, 'mirror.yaml')
    const flags = argv`--config ${config} --map ${map} --dry-run`
    const {report} = await scene.sync(flags, {into: false})
    expect(report.images.map(({target}) => target.replace(/^.*\//, ''))).toEqual(['by-flag:v1'])
  })

  test('of which nothing is to be done is planned all the same by a dry run', async () => {
    await tagsAfter(`    references: ['${host}/team/app:v1']\n`)
    const config = join(scene.directory, 'mirror.yaml')
    const {report, stderr} = await scene.sync(argv`--config ${config} --dry-run`, {into: false})
    expect(report.outcome).toBe('planned')
    expect(stderr).toBe('')
  })

  test('takes ${ENV}, and says which variable is not set', async () => {
    const body = `    references: ['\${SOURCE}/team/app:v1']\n`
    expect(await tagsAfter(body, {env: {SOURCE: host}})).toEqual(['team/app:v1'])
    const config = join(scene.directory, 'mirror.yaml')
    const {code, stderr} = await scene.quietly(argv`--config ${config}`, {into: false})
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: .*SOURCE/m)
  })

  test('has lists, relative to itself, beside references; naming rules and namespace of its own', async () => {
    await scene.write('own.txt', `${host}/team/app:v1\n`)
    const body = `    images: own.txt
    references: ['${host}/other/app:v1 moved/here:v2']
    namespace: deep
    rewrite: ^team/(.*)=crew/$1
`
    expect(await tagsAfter(body)).toEqual(['deep/crew/app:v1', 'deep/moved/here:v2'])
  })

  test('that is wrong is refused with every mistake and its line, before anything is asked', async () => {
    const config = await scene.write(
      'wrong.yaml',
      `jobs:\n  - name: job\n    target: x\n    references: ['docker.io/UPPER/x']\n    prune-max: many\n`,
    )
    scene.clearLogs()
    const {code, stderr} = await scene.quietly(argv`--config ${config}`, {into: false})
    expect(code).toBe(2)
    for (const text of ['wrong.yaml', 'line 3', 'line 4', 'line 5', 'targets']) expect(stderr).toContain(text)
    expect(scene.source.requests).toEqual([])
  })

  test('with several jobs does them all; the failure of one is told, and the others are done', async () => {
    const config = await scene.write(
      'several.yaml',
      `defaults:
  targets: ${scene.target.host}/several
jobs:
  - {name: bad, repositories: ['${host}/team/missing']}
  - {name: good, references: ['${host}/team/app:v1']}
`,
    )
    const {code, stderr, report} = await scene.sync(argv`--config ${config}`, {into: false})
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: source: .*team\/missing/m)
    expect(report.images.map(({status, job}) => ({status, job}))).toEqual([{status: 'pushed', job: 'good'}])
    expect(scene.target.tags('several/team/app')).toEqual(['v1'])
  })

  test('is read from standard input', async () => {
    const text = `jobs: [{name: job, targets: ${scene.target.host}/stdin, references: ['${host}/team/app:v1']}]`
    const {code, stderr} = await scene.quietly(argv`--config -`, {into: false, stdin: text})
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    expect(scene.target.tags('stdin/team/app')).toEqual(['v1'])
  })

  test.each([
    ['registries.yaml', (to: string) => `mirrors:\n  far.invalid:\n    endpoint: ["http://${to}"]\n`],
    [
      'registries.conf',
      (to: string) =>
        `[[registry]]\nprefix = "far.invalid"\nlocation = "far.invalid"\n[[registry.mirror]]\nlocation = "${to}"\ninsecure = true\n`,
    ],
  ])('is fetched from where a %s says', async (name, text) => {
    const mirrors = await scene.write(name, text(host))
    const list = await scene.list('far.invalid/team/app:v1')
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --source-mirrors ${mirrors} --source-retries 0`,
      {into: `by-${name}`},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(report.images[0]?.source).toBe('far.invalid/team/app:v1')
    expect(scene.target.tags(`by-${name}/team/app`)).toEqual(['v1'])
  })
})

describe('each registry of a job file has its own', () => {
  const secret = 'its own pass-word'
  const privateKey = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  const account = JSON.stringify({
    type: 'service_account',
    project_id: 'team',
    private_key_id: '0123456789abcdef',
    private_key: privateKey,
    client_email: 'mirror@team.iam.gserviceaccount.com',
  })
  const basic = Buffer.from(`robot:${secret}`).toString('base64')

  const ways: readonly (readonly [
    string,
    {readonly name: string; readonly password: string},
    (at: (name: string) => string, host: string) => string,
    (host: string) => Readonly<Record<string, string>>,
  ])[] = [
    [
      'password-file',
      {name: 'robot', password: secret},
      () => 'username: robot\n    password-file: secret',
      () => ({secret: `${secret}\n`}),
    ],
    [
      'password from the environment',
      {name: 'robot', password: secret},
      () => 'username: robot\n    password: ${ROBOT_PASSWORD}',
      () => ({}),
    ],
    [
      'docker-config',
      {name: 'robot', password: secret},
      () => 'docker-config: auth.json',
      (host) => ({'auth.json': JSON.stringify({auths: {[host]: {auth: basic}}})}),
    ],
    [
      'credential helper, as of ECR and ACR',
      {name: 'AWS', password: secret},
      () => 'credential-helper: tests-login',
      () => ({
        'bin/docker-credential-tests-login': `#!/bin/sh\nread -r server\nprintf '{"ServerURL":"%s","Username":"AWS","Secret":"${secret}"}' "$server"\n`,
      }),
    ],
    [
      'service account key of Google',
      {name: '_json_key', password: account},
      () => 'service-account-key: key.json',
      () => ({'key.json': account}),
    ],
  ]

  test.each(ways)('%s', async (_way, user, settings, files) => {
    await using scene = await syncScene({
      target: {auth: {type: 'basic', users: [{name: 'target', password: 'other'}]}},
    })
    await using secured: TestRegistry = await startRegistry({auth: {type: 'token', users: [user]}})
    await addImage(secured, await makeImage({seed: 'app', layers: 1}), {repository: 'team/app', tag: 'v1'})
    const at = (name: string): string => join(scene.directory, name)
    await mkdir(at('bin'))
    for (const [name, content] of Object.entries(files(secured.host))) {
      await writeFile(at(name), content)
      await chmod(at(name), 0o700)
    }
    const config = await scene.write(
      'mirror.yaml',
      `registries:
  ${secured.host}:
    ${settings(at, secured.host)}
  ${scene.target.host}:
    username: target
    password: other
jobs:
  - {name: job, targets: ${scene.target.host}/mirror, references: ['${secured.host}/team/app:v1']}
`,
    )
    const {PATH = ''} = cleanEnvironment(scene.directory)
    const {code, stderr, stdout} = await scene.sync(argv`--config ${config} --verbose`, {
      into: false,
      env: {PATH: `${at('bin')}:${PATH}`, ROBOT_PASSWORD: secret},
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(scene.at('team/app:v1')).toBeDefined()
    const told = stdout + stderr
    expect([secret, basic, '0123456789abcdef'].filter((text) => told.includes(text))).toEqual([])
    const sentTo = (registry: TestRegistry): readonly string[] =>
      registry.requests.flatMap(({authorization}) => authorization ?? [])
    const theirs = Buffer.from('target:other').toString('base64')
    expect(sentTo(secured).filter((header) => header.includes(theirs))).toEqual([])
    expect(sentTo(scene.target).every((header) => header === `Basic ${theirs}`)).toBe(true)
  })
})
