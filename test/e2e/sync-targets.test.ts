import {expect, test} from 'vitest'
import {makeImage, makeLayers} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {statuses, syncScene, type SyncScene} from './sync.js'

/** A job file that brings `team/*:v1` of the source to these targets. */
function jobFor(
  scene: SyncScene,
  {targets, names}: {readonly targets: readonly string[]; readonly names: readonly string[]},
): Promise<string> {
  return scene.write(
    'mirror.yaml',
    `jobs:
  - name: job
    targets: [${targets.join(', ')}]
    references: [${names.map((name) => `${scene.source.host}/${name}`).join(', ')}]
`,
  )
}

function blobsRead({requests}: TestRegistry): readonly string[] {
  return requests.filter(({kind}) => kind === 'blob-get').map(({path}) => path.split('/').at(-1) ?? '')
}

test('three targets share one download: each blob is read once, and sent to each', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry({strict: true})
  const base = await makeLayers({seed: 'base', layers: 2})
  const one = await makeImage({seed: 'one', layers: 2, layerSize: 400_000, base})
  const two = await makeImage({seed: 'two', layers: 1, base})
  await scene.add('team/one:v1', one)
  await scene.add('team/two:v1', two)
  const config = await jobFor(scene, {
    targets: [`${scene.target.host}/mirror`, `${second.host}/dr`, `${second.host}/dr-too`],
    names: ['team/one:v1', 'team/two:v1'],
  })
  const {code, stderr, report} = await scene.sync(argv`--config ${config}`, {into: false})
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  const read = blobsRead(scene.source)
  expect(read.toSorted()).toEqual([...new Set(read)].toSorted())
  expect(read).toHaveLength(
    new Set([...one.blobs, ...two.blobs].map(({descriptor}) => descriptor.digest)).size,
  )
  expect(report.images.map(({target}) => target)).toEqual([
    `${scene.target.host}/mirror/team/one:v1`,
    `${second.host}/dr/team/one:v1`,
    `${second.host}/dr-too/team/one:v1`,
    `${scene.target.host}/mirror/team/two:v1`,
    `${second.host}/dr/team/two:v1`,
    `${second.host}/dr-too/team/two:v1`,
  ])
  for (const registry of [scene.target, second]) expect(faultsIn(registry)).toEqual([])
  for (const namespace of ['dr', 'dr-too'])
    expect(second.manifest(`${namespace}/team/two`, 'v1')?.digest).toBe(two.root.descriptor.digest)
})

test('a second night costs one HEAD at the source and one at each target', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry()
  await scene.add('team/one:v1')
  const config = await jobFor(scene, {
    targets: [`${scene.target.host}/mirror`, `${second.host}/dr`],
    names: ['team/one:v1'],
  })
  await scene.quietly(argv`--config ${config}`, {into: false})
  scene.clearLogs()
  second.clearLog()
  const night = await scene.quietly(argv`--config ${config}`, {into: false})
  expect(night).toMatchObject({code: 0, stdout: '', stderr: ''})
  for (const {requests} of [scene.source, scene.target, second])
    expect(requests.map(({kind}) => kind)).toEqual(['manifest-head'])
})

test('a target that is down does not hold back the other, and has its own errors in the report', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry({strict: true})
  for (const name of ['team/one:v1', 'team/two:v1']) await scene.add(name)
  await second.goDown()
  const config = await jobFor(scene, {
    targets: [`${second.host}/dr`, `${scene.target.host}/mirror`],
    names: ['team/one:v1', 'team/two:v1'],
  })
  const {code, stderr, report} = await scene.sync(argv`--config ${config} --retries 0`, {into: false})
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['failed', 'pushed', 'failed', 'pushed'])
  expect(stderr).toMatch(new RegExp(`^error: target: .*${second.host}`, 'm'))
  expect(scene.at('team/one:v1')).toBeDefined()
  await second.comeBack()
  const next = await scene.sync(argv`--config ${config}`, {into: false})
  expect(next.code).toBe(0)
  expect(statuses(next.report)).toEqual(['pushed', 'present', 'pushed', 'present'])
  expect(faultsIn(second)).toEqual([])
})

test('a target that takes no login does not hold back the other, and says where the login is from', async () => {
  await using scene = await syncScene()
  await using secured = await startRegistry({auth: {type: 'token', users: []}})
  const reference = await scene.add('team/one:v1')
  const settings = [
    '{username: x, password: wrong}',
    '{credential-helper: is-not-there}',
    '{plain-http: true}',
  ]
  const wrong = [
    /"x" from the job file/,
    /docker-credential-is-not-there is not installed/,
    /asks for a credential/,
  ]
  for (const [index, login] of settings.entries()) {
    const config = await scene.write(
      'mirror.yaml',
      `registries: {'${secured.host}': ${login}}
jobs:
  - {name: job, targets: ['${secured.host}/dr', '${scene.target.host}/mirror'], references: ['${reference}']}
`,
    )
    const {code, stderr, report} = await scene.sync(argv`--config ${config}`, {into: false})
    expect(code).toBe(3)
    expect(statuses(report)).toEqual(['failed', index === 0 ? 'pushed' : 'present'])
    expect(stderr).toMatch(wrong[index] ?? '')
    expect(stderr).toMatch(/^error: target: /m)
  }
})

test('a source that takes no login fails its own images alone, on the source side', async () => {
  await using scene = await syncScene()
  await using secured = await startRegistry({auth: {type: 'token', users: []}})
  const reference = await scene.add('team/one:v1')
  const config = await scene.write(
    'mirror.yaml',
    `registries: {'${secured.host}': {credential-helper: is-not-there}}
jobs:
  - {name: job, targets: '${scene.target.host}/mirror', references: ['${secured.host}/a/b:v1', '${reference}']}
`,
  )
  const {code, stderr, report} = await scene.sync(argv`--config ${config}`, {into: false})
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['failed', 'pushed'])
  expect(stderr).toMatch(
    new RegExp(`^error: source: ${secured.host}/a/b:v1: docker-credential-is-not-there`, 'm'),
  )
  expect(stderr).not.toContain('error: target')
})

test('four targets, one blob at a time: nobody waits for good, each blob is read once and mounted where it can be', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry({strict: true})
  const names: string[] = []
  const blobs = new Set<string>()
  for (let index = 0; index < 10; index++) {
    const image = await makeImage({seed: `many ${index}`, layers: 3, layerSize: 100_000, content: 'random'})
    for (const {descriptor} of image.blobs) blobs.add(descriptor.digest)
    names.push(`team/many-${index}:v1`)
    await scene.add(`team/many-${index}:v1`, image)
  }
  const targets = [`${scene.target.host}/a`, `${second.host}/b`, `${scene.target.host}/c`, `${second.host}/d`]
  const config = await jobFor(scene, {targets, names})
  const {code, report} = await scene.sync(argv`--config ${config} --concurrency 1 --source-concurrency 1`, {
    into: false,
  })
  expect(code).toBe(0)
  expect(statuses(report)).toEqual(names.flatMap(() => targets.map(() => 'pushed')))
  expect(blobsRead(scene.source)).toHaveLength(blobs.size)
  for (const registry of [scene.target, second]) {
    expect(registry.commits).toHaveLength(blobs.size)
    expect(faultsIn(registry)).toEqual([])
  }
})

test('a target that dies in the middle of a shared download does not end it for the other', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry()
  const image = await makeImage({seed: 'big', layers: 2, layerSize: 3_000_000, content: 'random'})
  await scene.add('team/big:v1', image)
  const match = {kind: ['send', 'commit']} as const
  second.setFaults([
    {match, times: 2, fault: {type: 'reset-in-body', after: 100_000}},
    {match, nth: 3, times: Infinity, fault: {type: 'reset-before'}},
  ])
  const config = await jobFor(scene, {
    targets: [`${second.host}/dr`, `${scene.target.host}/mirror`],
    names: ['team/big:v1'],
  })
  const {code, report} = await scene.sync(argv`--config ${config} --retries 1 --retry-max-wait 1s`, {
    into: false,
  })
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['failed', 'pushed'])
  expect(faultsIn(scene.target)).toEqual([])
  expect(scene.at('team/big:v1')).toBe(image.root.descriptor.digest)
})

test('blobs in flight at the source fail the image at every target, and the exit code says that nothing was done', async () => {
  await using scene = await syncScene()
  await using second = await startRegistry()
  await scene.add('team/one:v1')
  scene.source.setFaults([{match: {kind: 'blob-get'}, times: Infinity, fault: {type: 'status', status: 404}}])
  const config = await jobFor(scene, {
    targets: [`${second.host}/dr`, `${scene.target.host}/mirror`],
    names: ['team/one:v1'],
  })
  const {code, stderr, report} = await scene.sync(argv`--config ${config}`, {into: false})
  expect(code).toBe(1)
  expect(statuses(report)).toEqual(['failed', 'failed'])
  expect(stderr).toMatch(/^error: source: .*team\/one/m)
  for (const registry of [scene.target, second]) expect(faultsIn(registry)).toEqual([])
})
