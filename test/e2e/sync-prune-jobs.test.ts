import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {statuses, syncScene, type SyncScene} from './sync.js'

const SILENT = {code: 0, stdout: '', stderr: ''}

test('--prune of a job file: a repository that cannot be listed prunes nothing', async () => {
  await using scene = await syncScene()
  for (const name of ['team/app:v1', 'team/app:v2', 'team/other:v1']) await scene.add(name)
  const job = (tags: string): Promise<string> =>
    scene.write(
      'mirror.yaml',
      `jobs:
  - name: job
    targets: ${scene.target.host}/mirror
    prune: true
    references: ['${scene.source.host}/team/other:v1']
    repositories: [{repository: ${scene.source.host}/team/app, tags: ${tags}}]
`,
    )
  const tags = (): readonly string[] => scene.target.tags('mirror/team/app').toSorted()
  const config = await job('{glob: "v*"}')
  expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  expect(tags()).toEqual(['v1', 'v2'])
  const broken = [
    {status: 404},
    {status: 500},
    {status: 401},
    {status: 200, body: '{"name":"team/app","tags":null}'},
  ]
  for (const answer of broken) {
    const fault = {type: 'status', ...answer, headers: {'content-type': 'application/json'}} as const
    scene.source.setFaults([{match: {kind: 'tags'}, times: Infinity, fault}])
    const {code, stderr} = await scene.quietly(argv`--config ${config} --source-retries 0`, {into: false})
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: source: /m)
    expect(tags()).toEqual(['v1', 'v2'])
  }
  scene.source.setFaults([])
  await job('{glob: "v1"}')
  expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  expect(tags()).toEqual(['v1'])
})

/** A job file with these jobs: the tags of `team/app` that each wants. */
function jobFile(scene: SyncScene, jobs: Readonly<Record<string, readonly string[]>>): Promise<string> {
  return scene.write(
    'mirror.yaml',
    JSON.stringify({
      defaults: {targets: `${scene.target.host}/mirror`, prune: true},
      jobs: Object.entries(jobs).map(([name, tags]) => ({
        name,
        references: tags.map((tag) => `${scene.source.host}/team/app:${tag}`),
      })),
    }),
  )
}

function tagsAt({target}: SyncScene): readonly string[] {
  return target.tags('mirror/team/app').toSorted()
}

test('a tag that goes from one job to another stays; what no job wants goes', async () => {
  await using scene = await syncScene()
  for (const tag of ['v1', 'v2', 'v3']) await scene.add(`team/app:${tag}`)
  const night = async (jobs: Readonly<Record<string, readonly string[]>>): Promise<void> => {
    const config = await jobFile(scene, jobs)
    expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  }
  await night({one: ['v1', 'v2'], two: ['v3']})
  await night({one: ['v1'], two: ['v2', 'v3']})
  expect(tagsAt(scene)).toEqual(['v1', 'v2', 'v3'])
  await night({one: ['v1'], two: ['v3']})
  expect(tagsAt(scene)).toEqual(['v1', 'v3'])
})

test('nothing of a job goes in a night in which one of its images fails', async () => {
  await using scene = await syncScene()
  for (const tag of ['v1', 'v2']) await scene.add(`team/app:${tag}`)
  const first = await jobFile(scene, {job: ['v1', 'v2']})
  expect(await scene.quietly(argv`--config ${first}`, {into: false})).toMatchObject(SILENT)
  const second = await jobFile(scene, {job: ['v1', 'v3']})
  const {code, report} = await scene.sync(argv`--config ${second}`, {into: false})
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['present', 'failed'])
  expect(tagsAt(scene)).toEqual(['v1', 'v2'])
  await scene.add('team/app:v3')
  expect(await scene.quietly(argv`--config ${second}`, {into: false})).toMatchObject(SILENT)
  expect(tagsAt(scene)).toEqual(['v1', 'v3'])
})

test('nothing goes at any registry but where the job goes', async () => {
  await using scene = await syncScene()
  for (const tag of ['v1', 'v2']) await scene.add(`team/app:${tag}`)
  const config = await jobFile(scene, {job: ['v1', 'v2']})
  expect(await scene.quietly(argv`--config ${config}`, {into: false})).toMatchObject(SILENT)
  await jobFile(scene, {job: ['v1']})
  const elsewhere = argv`--config ${config} --private-registry ${scene.source.host}/copies`
  expect(await scene.quietly(elsewhere, {into: false})).toMatchObject(SILENT)
  expect(tagsAt(scene)).toEqual(['v1', 'v2'])
  expect(scene.source.tags('team/app').toSorted()).toEqual(['v1', 'v2'])
})

test.each([
  ['without a state that remembers', ['--no-state'], undefined, /^error: .*--no-state/],
  ['of a list that has no name', [], '-', /^error: .*standard input/],
  [
    'with filters that make a part of a list of it',
    ['--exclude', '**/app:v2'],
    undefined,
    /^error: .*--exclude/,
  ],
] as const)('--prune %s is an error before anything is asked', async (_name, flags, list, message) => {
  await using scene = await syncScene()
  const reference = await scene.add('team/app:v1')
  const images = list ?? (await scene.list(reference))
  const stdin = `${reference}\n`
  const {code, stderr} = await scene.quietly(argv`--images ${images} --prune ${flags}`, {stdin})
  expect({code, stderr}).toEqual({code: 2, stderr: expect.stringMatching(message) as string})
  expect(scene.target.requests).toEqual([])
})
