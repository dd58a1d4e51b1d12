import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {makeImage} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {syncScene, type SyncScene} from './sync.js'

async function syncShards(scene: SyncScene, flags: readonly string[], count = 3) {
  const runs = await Promise.all(
    Array.from({length: count}, (_, index) => scene.sync(argv`${flags} --shard ${`${index}/${count}`}`)),
  )
  expect(runs.map(({code, stderr}) => (code === 0 ? 0 : stderr))).toEqual(runs.map(() => 0))
  return runs.map(({report}) => report)
}

const NAMES = Array.from({length: 9}, (_, index) => `team/app${index % 5}:v${index}`)

test('shards that run side by side share one state directory, and bring every image over once', async () => {
  await using scene = await syncScene()
  const list = await scene.list(...(await Promise.all(NAMES.map((name) => scene.add(name)))))
  const reports = await syncShards(scene, argv`--images ${list}`)
  const sources = reports.flatMap(({images}) => images.map(({source}) => source))
  expect(sources.toSorted()).toEqual(NAMES.map((name) => `${scene.source.host}/${name}`).toSorted())
  expect(NAMES.filter((name) => scene.at(name) === undefined)).toEqual([])
  expect(reports.map(({shard}) => shard)).toEqual(
    [0, 1, 2].map((index) => ({index, count: 3, by: 'images', plan: reports[0]?.shard?.plan})),
  )
  // Each has remembered its own part.
  scene.clearLogs()
  await syncShards(scene, argv`--images ${list}`)
  expect(scene.target.requests.filter(({method}) => method !== 'HEAD' && method !== 'GET')).toEqual([])
})

test('a lock file of a dry run has the sizes, so that shards are even by bytes', async () => {
  await using scene = await syncScene()
  const images = await Promise.all(
    NAMES.map(async (name, index) =>
      scene.add(
        name,
        await makeImage({
          seed: name,
          layers: 1 + index,
          platforms: index % 2 ? ['linux/amd64', 'linux/arm64'] : undefined,
        }),
      ),
    ),
  )
  const list = await scene.list(...images)
  const lock = join(scene.directory, 'catalogue.lock')
  expect(await scene.sync(argv`--images ${list} --dry-run --lock ${lock}`)).toMatchObject({code: 0})
  expect(scene.target.repositories()).toEqual([])
  const text = await readFile(lock, 'utf8')
  const bytes = [...text.matchAll(/^# {3}(\d+) bytes$/gm)].map(([, size]) => Number(size))
  expect(bytes).toHaveLength(NAMES.length)

  // The tags move between the dry run and the shards, and between one shard and the next.
  for (const name of NAMES) await scene.add(name, await makeImage({seed: `moved ${name}`, layers: 1}))
  const reports = await syncShards(scene, argv`--images ${lock}`)
  expect(reports.map(({shard}) => shard?.by)).toEqual(['bytes', 'bytes', 'bytes'])
  expect(new Set(reports.map(({shard}) => shard?.plan)).size).toBe(1)
  expect(reports.flatMap(({images: done}) => done)).toHaveLength(NAMES.length)
  const sizes = reports.reduce((sum, {totals}) => sum + totals.bytes.uploaded, 0)
  expect(sizes).toBe(bytes.reduce((sum, size) => sum + size, 0))
})

test('repositories whose tags are listed go to one shard each, and only it lists them', async () => {
  await using scene = await syncScene()
  await Promise.all(NAMES.map((name) => scene.add(name)))
  const repositories = [...new Set(NAMES.map((name) => name.split(':')[0]))]
  const config = await scene.write(
    'mirror.yaml',
    [
      'jobs:',
      '  - name: apps',
      '    repositories:',
      ...repositories.map((name) => `      - repository: ${scene.source.host}/${name}`),
    ].join('\n'),
  )
  const listings = (): number => scene.source.requests.filter(({kind}) => kind === 'tags').length
  expect(await scene.sync(argv`--config ${config}`, {into: 'whole'})).toMatchObject({code: 0})
  const inOneRun = listings()
  scene.clearLogs()
  const reports = await syncShards(scene, argv`--config ${config}`)
  expect(NAMES.filter((name) => scene.at(name) === undefined)).toEqual([])
  expect(reports.flatMap(({images}) => images)).toHaveLength(NAMES.length)
  expect(new Set(reports.map(({shard}) => shard?.by))).toEqual(new Set(['repository']))
  expect(listings()).toBe(inOneRun)
})

test('a shard without an image is done, and a job without an image is refused by every shard', async () => {
  await using scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  const reports = await syncShards(scene, argv`--images ${list}`, 2)
  expect(reports.map(({images}) => images.length).toSorted((one, other) => one - other)).toEqual([0, 1])
  const empty = await scene.list('# nothing')
  const {code, stderr} = await scene.sync(argv`--images ${empty} --shard 1/2`)
  expect({code, stderr}).toMatchObject({code: 2, stderr: expect.stringContaining('names no image')})
})

test('two images of different shards for one name are refused, since no shard could compare them', async () => {
  await using scene = await syncScene()
  const names = await Promise.all(['a/one:v1', 'b/two:v1'].map((name) => scene.add(name)))
  const list = await scene.list(...names)
  const {code, stderr} = await scene.sync(argv`--images ${list} --shard 0/2 --rewrite ${'^[ab]/[a-z]+=same'}`)
  expect({code, stderr}).toMatchObject({code: 2, stderr: expect.stringContaining('are in different shards')})
  expect(scene.target.repositories()).toEqual([])
})

test.each([
  ['--prune', /--prune does not go with --shard/],
  ['--lock new.lock', /--lock does not go with --shard/],
  [
    '--shard 2/2',
    /there is no shard 2 of 2\n(?:.*\n)*hint: Count shards from 0: the first is 0\/2 and the last 1\/2\./,
  ],
])('%s is refused before anything is asked', async (flags, message) => {
  await using scene = await syncScene()
  const list = await scene.list(`${scene.source.host}/team/app:v1`)
  const shard = flags.startsWith('--shard') ? '' : '--shard 0/2'
  const {code, stderr} = await scene.sync(`--images ${list} ${shard} ${flags}`.split(' ').filter(Boolean))
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect([...scene.source.requests, ...scene.target.requests]).toEqual([])
})

test('a job that prunes removes nothing in a shard, and later in a run of the whole job', async () => {
  await using scene = await syncScene()
  const one = await scene.add('team/app:v1')
  const two = await scene.add('team/app:v2')
  const config = join(scene.directory, 'mirror.yaml')
  const write = (...images: readonly string[]): Promise<void> =>
    writeFile(
      config,
      [
        'jobs:',
        '  - name: apps',
        '    prune: true',
        '    references:',
        ...images.map((image) => `      - ${image}`),
      ].join('\n'),
    )
  await write(one, two)
  await syncShards(scene, argv`--config ${config}`, 2)
  await write(one)
  await syncShards(scene, argv`--config ${config}`, 2)
  expect(await scene.sync(argv`--config ${config} --shard 0/2 --no-state`)).toMatchObject({code: 0})
  expect(scene.at('team/app:v2')).toBeDefined()
  // 0/1 is the whole job. It has found the tag there, so it owns it from then on.
  await write(one, two)
  await syncShards(scene, argv`--config ${config}`, 1)
  await write(one)
  await syncShards(scene, argv`--config ${config}`, 1)
  expect(scene.at('team/app:v2')).toBeUndefined()
})

test('a shard that cannot begin says in its report and its metrics which part it was', async () => {
  await using scene = await syncScene()
  const list = await scene.list(`${scene.source.host}/team/app:v1`)
  const metrics = join(scene.directory, 'mirror.prom')
  const {report} = await scene.sync(
    argv`--images ${list} --shard 1/2 --metrics ${metrics} --cacert ${join(scene.directory, 'missing.pem')}`,
  )
  expect(report).toMatchObject({outcome: 'failed', shard: {index: 1, count: 2}})
  expect(await readFile(metrics, 'utf8')).toContain('shard="1/2"')
})
