import {expect, test} from 'vitest'
import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage} from '@airgap-mirror/test/kit'
import type {RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {exchanges, statuses, syncScene, type SyncScene} from './sync.js'

const SILENT = {code: 0, stdout: '', stderr: ''}
const TAGS = ['v1', 'v2', 'v3'] as const
const HEADS = TAGS.map((tag) => `HEAD manifest-head ${tag}`)

interface Warm extends AsyncDisposable {
  readonly scene: SyncScene
  /** The names of its images. */
  readonly names: readonly string[]
  readonly list: string
}

/** A scene after the first night, its logs empty. */
async function afterOneNight(
  flags: readonly string[] = [],
  options: {readonly source?: RegistryOptions; readonly target?: RegistryOptions} = {},
): Promise<Warm> {
  const scene = await syncScene(options)
  const names = TAGS.map((tag) => `team/app:${tag}`)
  for (const name of names)
    await scene.add(name, await makeImage({seed: name, layers: 1, platforms: ['linux/amd64', 'linux/arm64']}))
  const list = await scene.list(...names.map((name) => `${scene.source.host}/${name}`))
  expect(await scene.quietly(argv`--images ${list} ${flags}`)).toMatchObject(SILENT)
  expect(faultsIn(scene.target)).toEqual([])
  scene.clearLogs()
  return {scene, names, list, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]()}
}

test('the second night costs one HEAD a tag at each side and nothing else, and says nothing', async () => {
  await using warm = await afterOneNight()
  const {scene, list} = warm
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(exchanges(scene.source)).toEqual(HEADS)
  expect(exchanges(scene.target)).toEqual(HEADS)
})

test('without --quiet it says one line, and the report has what it cost', async () => {
  await using warm = await afterOneNight()
  const {scene, list} = warm
  const {code, stderr, report} = await scene.sync(argv`--images ${list}`)
  expect(code).toBe(0)
  expect(stderr).toMatch(/^3 images: 0 pushed, 3 present, 0 failed; 0 B sent.*\n$/)
  expect(report).toMatchObject({outcome: 'ok', totals: {requests: 6, bytes: {uploaded: 0, downloaded: 0}}})
  expect(statuses(report)).toEqual(['present', 'present', 'present'])
})

test('what a platform filter has made is known: no more than a HEAD a tag, though digests differ', async () => {
  const flags = argv`--platform linux/amd64`
  await using warm = await afterOneNight(flags)
  const {scene, list} = warm
  expect(await scene.quietly(argv`--images ${list} ${flags}`)).toMatchObject(SILENT)
  expect(exchanges(scene.source)).toEqual(HEADS)
  expect(exchanges(scene.target)).toEqual(HEADS)
  const {report} = await scene.sync(argv`--images ${list} ${flags}`)
  expect(report.images).toMatchObject(TAGS.map(() => ({status: 'present', digestChanged: true})))
  for (const {sourceDigest, targetDigest} of report.images) expect(sourceDigest).not.toBe(targetDigest)
})

test('another choice of platforms is seen, and made anew', async () => {
  await using warm = await afterOneNight(argv`--platform linux/amd64`)
  const {scene, names, list} = warm
  const {code, report} = await scene.sync(argv`--images ${list}`)
  expect(code).toBe(0)
  expect(statuses(report)).toEqual(['pushed', 'pushed', 'pushed'])
  for (const name of names) {
    const image = await makeImage({seed: name, layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
    expect(scene.at(name)).toBe(image.root.descriptor.digest)
  }
})

test('one tag that has moved at its source is the only one that is fetched', async () => {
  await using warm = await afterOneNight()
  const {scene, list} = warm
  const moved = await makeImage({seed: 'moved', layers: 1})
  await scene.add('team/app:v2', moved)
  const {code, report} = await scene.sync(argv`--images ${list}`)
  expect(code).toBe(0)
  expect(statuses(report)).toEqual(['present', 'pushed', 'present'])
  expect(scene.at('team/app:v2')).toBe(moved.root.descriptor.digest)
  expect(scene.source.requests.filter(({kind}) => kind === 'blob-get')).toHaveLength(moved.blobs.length)
})

test('tokens are fetched as the registries ask for them, and nothing is asked besides', async () => {
  const auth = {type: 'token', anonymous: 'push', users: []} as const
  await using warm = await afterOneNight([], {source: {auth}, target: {auth}})
  const {scene, list} = warm
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  for (const registry of [scene.source, scene.target]) {
    const done = registry.requests.filter(({status}) => status === 200).map(({kind}) => kind)
    expect(done.toSorted()).toEqual(['manifest-head', 'manifest-head', 'manifest-head', 'token'])
    // until the first answer nobody knows that a token is wanted
    expect(registry.requests.filter(({status}) => status === 401).length).toBeLessThanOrEqual(TAGS.length)
  }
})

test.each([
  ['does not say the digest', {type: 'headers', headers: {'docker-content-digest': undefined}}],
  ['is refused', {type: 'status', status: 405}],
] as const)('where the HEAD of a source %s, its manifest is read instead', async (_name, fault) => {
  await using warm = await afterOneNight()
  const {scene, list} = warm
  scene.source.setFaults([{match: {kind: 'head'}, times: Infinity, fault}])
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(exchanges(scene.source).filter((line) => line.startsWith('GET'))).toEqual(
    TAGS.map((tag) => `GET manifest-get ${tag}`),
  )
  expect(exchanges(scene.target)).toEqual(HEADS)
})

test('digests need no request at all once they are there', async () => {
  await using scene = await syncScene()
  const image = await makeImage({seed: 'app', layers: 1})
  await scene.add('team/app:v1', image)
  const {digest} = image.root.descriptor
  const {host} = scene.source
  const list = await scene.list(`${host}/team/app@${digest}`, `${host}/team/app:v1@${digest}`)
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  scene.clearLogs()
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect([...exchanges(scene.source), ...exchanges(scene.target)]).toEqual([])
})

test('nor do tags that the job file calls immutable; the others do', async () => {
  await using scene = await syncScene()
  for (const tag of ['v1', 'v2', 'latest']) await scene.add(`team/app:${tag}`)
  const config = await scene.write(
    'mirror.yaml',
    `jobs:
  - name: job
    targets: ${scene.target.host}/mirror
    immutable: 'v*'
    references: [${['v1', 'v2', 'latest'].map((tag) => `${scene.source.host}/team/app:${tag}`).join(', ')}]
`,
  )
  expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  scene.clearLogs()
  expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  expect(exchanges(scene.source)).toEqual(['HEAD manifest-head latest'])
  expect(exchanges(scene.target)).toEqual(['HEAD manifest-head latest'])
})

test('the state may be deleted: more is asked, nothing is sent, and the night after is warm again', async () => {
  await using warm = await afterOneNight()
  const {scene, list} = warm
  await rm(join(scene.directory, '.local'), {recursive: true})
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(scene.target.bytesReceived).toBe(0)
  expect(scene.source.requests.filter(({kind}) => kind === 'blob-get')).toEqual([])
  expect(exchanges(scene.source).length).toBeGreaterThan(TAGS.length)
  scene.clearLogs()
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(exchanges(scene.source)).toEqual(HEADS)
})

test('--no-state leaves no file, and still sends nothing twice', async () => {
  await using scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  expect(await scene.quietly(argv`--images ${list} --no-state`)).toMatchObject(SILENT)
  scene.clearLogs()
  expect(await scene.quietly(argv`--images ${list} --no-state`)).toMatchObject(SILENT)
  expect(scene.target.bytesReceived).toBe(0)
  expect(exchanges(scene.target)).toEqual(['HEAD manifest-head v1'])
  expect(await readdir(scene.directory)).not.toContain('.local')
})

test('a state directory that cannot be written is a warning, and the work is done', async () => {
  await using scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  const state = await scene.write('state', 'a file where a directory should be')
  const {code, stderr} = await scene.quietly(argv`--images ${list} --state ${state}`)
  expect({code, stderr}).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^warning: running without saved state: cannot use .*state: /) as string,
  })
  expect(scene.at('team/app:v1')).toBeDefined()
})
