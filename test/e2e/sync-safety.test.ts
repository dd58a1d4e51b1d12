import {describe, expect, test} from 'vitest'
import {createHash} from 'node:crypto'
import {chmod, mkdir, readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {cleanEnvironment, makeImage, mirrorProgram, runChild, type ChildResult} from '@airgap-mirror/test/kit'
import type {RequestRecord} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {exchanges, statuses, syncScene, withReport, type SyncScene} from './sync.js'
import {until} from './until.js'

const SILENT = {code: 0, stdout: '', stderr: ''}

function writeJobs(scene: SyncScene, jobs: readonly string[], head = ''): Promise<string> {
  return scene.write(
    'mirror.yaml',
    `${head}jobs:\n${jobs.map((job) => `  - ${job}\n`).join('')}`
      .replaceAll('SRC', scene.source.host)
      .replaceAll('DST', scene.target.host),
  )
}

const TWO_JOBS = [
  '{name: first, references: [SRC/team/one:v1], targets: DST/first}',
  '{name: second, references: [SRC/team/two:v1], targets: DST/second}',
]

test('two targets in a registry that is asked one thing at a time share a large layer, and end', async () => {
  await using scene = await syncScene()
  const image = await makeImage({seed: 'large', layers: 2, layerSize: 5 * 1024 * 1024, content: 'random'})
  await scene.add('team/large:v1', image)
  const config = await writeJobs(
    scene,
    ['{name: job, references: [SRC/team/large:v1], targets: [DST/x, DST/y]}'],
    'registries: {"DST": {concurrency: 1}}\n',
  )
  const {code, report} = await scene.sync(argv`--config ${config}`, {into: false})
  expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['pushed', 'pushed']})
  for (const namespace of ['x', 'y'])
    expect(scene.target.manifest(`${namespace}/team/large`, 'v1')?.digest).toBe(image.root.descriptor.digest)
  expect(faultsIn(scene.target)).toEqual([])
  // the content goes there once; for the other target it is mounted
  expect(report.totals.blobs).toMatchObject({uploaded: 3, mounted: 3})
})

describe('a run that is stopped does not pass for one that was done', () => {
  /** Stops a run of two jobs at the first request of a kind. */
  const stopped = async (
    scene: SyncScene,
    {kind, flags}: {readonly kind: RequestRecord['kind']; readonly flags: readonly string[]},
  ): Promise<ChildResult> => {
    scene.target.setFaults([
      {match: {kind}, times: Infinity, fault: {type: 'stall', ms: 500, at: 'response'}},
    ])
    scene.clearLogs()
    const child = await scene.start(['--json', '--no-referrers', ...flags], {into: false})
    await until(() => scene.target.requests.some((request) => request.kind === kind))
    child.kill('SIGTERM')
    const result = await child.result
    scene.target.setFaults([])
    return result
  }

  test('by SIGTERM at the last tag of a job: the other job is missing', async () => {
    await using scene = await syncScene()
    for (const name of ['team/one:v1', 'team/two:v1']) await scene.add(name)
    const config = await writeJobs(scene, TWO_JOBS)
    const result = await stopped(scene, {kind: 'manifest-put', flags: argv`--config ${config}`})
    const {report} = withReport(result)
    expect(result.code).toBe(143)
    expect(report).toMatchObject({outcome: 'cancelled', error: {code: 'CANCELLED'}})
    expect(statuses(report)).toEqual(['pushed'])
    expect(scene.target.repositories()).toEqual(['first/team/one'])
  })

  test('by SIGTERM while it prunes: what was removed is in the report, and the rest goes the next night', async () => {
    await using scene = await syncScene()
    for (const name of ['team/one:v1', 'team/two:v1', 'team/three:v1']) await scene.add(name)
    const job = (names: string): string =>
      `{name: job, prune: true, references: [${names}], targets: DST/mirror}`
    await writeJobs(scene, [job('SRC/team/one:v1, SRC/team/two:v1, SRC/team/three:v1')])
    const config = join(scene.directory, 'mirror.yaml')
    expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
    await writeJobs(scene, [job('SRC/team/one:v1')])
    const result = await stopped(scene, {kind: 'manifest-delete', flags: argv`--config ${config}`})
    expect(result.code).toBe(143)
    const {report} = withReport(result)
    expect(report).toMatchObject({outcome: 'cancelled', error: {code: 'CANCELLED'}})
    expect(statuses(report)[0]).toBe('present')
    expect(scene.at('team/three:v1')).toBeDefined()
    expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
    expect(scene.target.repositories().filter((name) => scene.target.tags(name).length > 0)).toEqual([
      'mirror/team/one',
    ])
  })

  test('since its lock is lost: exit code 5, and nothing more is begun', async () => {
    await using scene = await syncScene()
    for (const name of ['team/one:v1', 'team/two:v1']) await scene.add(name)
    const config = await writeJobs(scene, TWO_JOBS)
    scene.source.setFaults([{match: {kind: 'blob-get'}, fault: {type: 'stall', ms: 800}}])
    const flags = argv`--json --no-referrers --config ${config} --state state`
    const child = await scene.start(flags, {into: false})
    await until(() => scene.source.requests.some(({kind}) => kind === 'blob-get'))
    await rm(join(scene.directory, 'state'), {recursive: true})
    const result = await child.result
    expect(result.code).toBe(5)
    expect(withReport(result).report).toMatchObject({error: {code: 'STATE_LOCKED'}})
    expect(result.stderr).toMatch(/^error: .*lock of this run was lost/m)
    expect(scene.target.repositories()).toEqual(['first/team/one'])
  })
})

describe('a job that cannot be done is named, and does not keep the others; the report and --failed are whole', () => {
  test.each([
    ['its filter leaves nothing', "references: [SRC/team/one:v1], exclude: ['**']", 'names no image'],
    ['two images would get one name', "references: ['SRC/team/one:v1 x:v1', 'SRC/team/two:v1 x:v1']", 'x:v1'],
  ])('%s', async (_why, body, message) => {
    await using scene = await syncScene()
    for (const name of ['team/one:v1', 'team/two:v1']) await scene.add(name)
    const config = await writeJobs(scene, [
      '{name: first, references: [SRC/team/one:v1], targets: DST/first}',
      `{name: the bad one, ${body}, targets: DST/bad}`,
      '{name: third, references: [SRC/team/two:v1, SRC/team/missing:v1], targets: DST/third}',
    ])
    const failed = join(scene.directory, 'failed.txt')
    const {code, stderr, report} = await scene.sync(argv`--config ${config} --failed ${failed}`, {
      into: false,
    })
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: .*the job "the bad one": /m)
    expect(stderr).toContain(message)
    expect(statuses(report)).toEqual(['pushed', 'pushed', 'failed'])
    expect(await readFile(failed, 'utf8')).toBe(`${scene.source.host}/team/missing:v1\n`)
    expect(scene.target.repositories()).toEqual(['first/team/one', 'third/team/two'])
  })
})

test('with --platform, an image whose config cannot be read fails alone', async () => {
  await using scene = await syncScene()
  const bad = await makeImage({seed: 'bad', layers: 1})
  const [platform] = bad.platforms
  if (platform === undefined) throw new Error('no platform')
  const list = await scene.list(
    await scene.add('team/one:v1'),
    await scene.add('team/bad:v1', bad),
    await scene.add('team/two:v1'),
  )
  scene.source.loseBlob('team/bad', platform.config.descriptor.digest)
  const {code, stderr, report} = await scene.sync(argv`--images ${list} --platform linux/amd64`)
  expect({code, statuses: statuses(report)}).toEqual({code: 3, statuses: ['pushed', 'failed', 'pushed']})
  expect(stderr).toMatch(/^error: source: .*team\/bad/m)
})

test('an index that was put for one platform with the digest that it had is completed by a run for all', async () => {
  await using scene = await syncScene({target: {missingContent: 'allow-index', strict: false}})
  const image = await makeImage({seed: 'multi', layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
  const list = await scene.list(await scene.add('team/multi:v1', image))
  const narrow = await scene.sync(argv`--images ${list} --platform linux/amd64 --sparse-index auto`)
  expect(narrow).toMatchObject({code: 0})
  expect(scene.at('team/multi:v1')).toBe(image.root.descriptor.digest)
  const missing = image.platforms[1]?.manifest.descriptor.digest ?? ''
  expect(scene.target.manifest('mirror/team/multi', missing)).toBeUndefined()
  expect(await scene.sync(argv`--images ${list}`)).toMatchObject({code: 0})
  expect(scene.target.manifest('mirror/team/multi', missing)).toBeDefined()
  expect(scene.target.fsck()).toEqual([])
  scene.clearLogs()
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(exchanges(scene.target)).toEqual(['HEAD manifest-head v1'])
})

test('our own tag is no drift after two bad nights: one whose answer was lost, one that was refused', async () => {
  await using scene = await syncScene()
  const put = async (seed: string): Promise<string> =>
    scene.add('team/app:v1', await makeImage({seed, layers: 1}))
  const list = await scene.list(await put('first'))
  const flags = argv`--images ${list} --no-referrers --retries 0`
  expect(await scene.quietly(flags)).toMatchObject(SILENT)
  for (const [seed, fault] of [
    ['second', {type: 'reset-after'}],
    ['third', {type: 'status', status: 403}],
  ] as const) {
    await put(seed)
    scene.target.setFaults([{match: {kind: 'manifest-put'}, times: Infinity, fault}])
    expect(await scene.quietly(flags)).toMatchObject({code: 1})
  }
  scene.target.setFaults([])
  const second = await makeImage({seed: 'second', layers: 1})
  expect(scene.at('team/app:v1')).toBe(second.root.descriptor.digest)
  expect(await scene.quietly(flags)).toMatchObject(SILENT)
  const third = await makeImage({seed: 'third', layers: 1})
  expect(scene.at('team/app:v1')).toBe(third.root.descriptor.digest)
})

describe('what cannot be remembered', () => {
  const NAMES = Array.from({length: 8}, (_, at) => `team/${'a-long-name-'.repeat(6)}${at}:v1`)
  const addAll = async (scene: SyncScene, seed: string): Promise<readonly string[]> => {
    const image = await makeImage({seed, layers: 1})
    return Promise.all(NAMES.map((name) => scene.add(name, image)))
  }

  test('is no drift the night after, where the disk was full', async () => {
    await using scene = await syncScene()
    const list = await scene.list(...(await addAll(scene, 'first')))
    const flags = argv`--images ${list} --no-referrers --state state`
    expect(await scene.quietly(flags)).toMatchObject(SILENT)
    await addAll(scene, 'second')
    const usual = argv`sync --plain-http --source-plain-http --quiet --private-registry ${scene.target.host}/mirror`
    // as a full disk does, the limit lets files grow to 1 KiB and no further
    const full = await runChild(
      'bash',
      ['-c', 'ulimit -f 1; exec "$@"', 'bash', process.execPath, mirrorProgram(), ...usual, ...flags],
      {env: cleanEnvironment(scene.directory), cwd: scene.directory},
    )
    expect(full.stderr).toMatch(/^warning: the saved state in .* is used only in part/m)
    expect(full.code).toBe(0)
    await addAll(scene, 'third')
    expect(await scene.quietly(flags)).toMatchObject(SILENT)
    const third = await makeImage({seed: 'third', layers: 1})
    expect(scene.at(NAMES[0] ?? '')).toBe(third.root.descriptor.digest)
  })

  test('ends the run before the first byte, where what is remembered cannot even be taken away', async () => {
    await using scene = await syncScene()
    const list = await scene.list(...(await addAll(scene, 'first')))
    const name = createHash('sha256').update(scene.target.host).digest('hex')
    // nobody can replace or remove a directory as a file, not even root
    await mkdir(join(scene.directory, 'state', 'v1', 'tags', name), {recursive: true, mode: 0o700})
    const {code, stderr} = await scene.quietly(argv`--images ${list} --no-referrers --state state`)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: .*cannot be written into the state directory\nhint: .*--no-state/m)
    expect(scene.target.bytesReceived).toBe(0)
    expect(scene.target.repositories()).toEqual([])
  })

  test('is warned of with --quiet, too, where others may write into the state directory', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/one:v1'))
    const state = join(scene.directory, 'state', 'v1')
    await mkdir(state, {recursive: true})
    await chmod(state, 0o777)
    const {code, stdout, stderr} = await scene.quietly(argv`--images ${list} --prune --state state`)
    expect({code, stdout}).toEqual({code: 0, stdout: ''})
    expect(stderr).toMatch(/^warning: running without saved state: cannot use .*: others may write there/)
    expect((await stat(state)).isDirectory()).toBe(true)
  })
})

test('two references to one name cost two HEADs at the source and nothing more, night after night', async () => {
  await using scene = await syncScene()
  const image = await makeImage({seed: 'one', layers: 1})
  const reference = await scene.add('team/one:v1', image)
  const list = await scene.list(reference, `${reference}@${image.root.descriptor.digest}`)
  for (let night = 0; night < 2; night++)
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  const state = join(scene.directory, '.local', 'state', 'mirror', 'v1', 'tags')
  const {mtimeMs} = await stat(state)
  scene.clearLogs()
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  for (const {requests} of [scene.source, scene.target]) {
    expect(new Set(requests.map(({kind}) => kind))).toEqual(new Set(['manifest-head']))
    expect(requests.length).toBeLessThanOrEqual(2)
  }
  // nor is the state written anew
  expect((await stat(state)).mtimeMs).toBe(mtimeMs)
})
