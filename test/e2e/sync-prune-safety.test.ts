import {describe, expect, test} from 'vitest'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {addImage, makeImage} from '@airgap-mirror/test/kit'
import type {RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {cosignTag} from './cosign.js'
import {statuses, syncScene, type SyncScene, type Synced} from './sync.js'

const DONE = {code: 0}

/** Returns the tags at the target, as `repository:tag`. */
function thereIn({target}: SyncScene): readonly string[] {
  return target
    .repositories()
    .flatMap((repository) => target.tags(repository).map((tag) => `${repository}:${tag}`))
    .toSorted()
}

interface Jobs extends AsyncDisposable {
  readonly scene: SyncScene
  /** Writes the job file anew and runs it; in each text `SRC` and `DST` are the two registries. */
  readonly night: (jobs: readonly string[], flags?: readonly string[]) => Promise<Synced>
  readonly there: () => readonly string[]
}

async function jobsScene(target: RegistryOptions = {}): Promise<Jobs> {
  const scene = await syncScene({target})
  for (const name of ['team/one:v1', 'team/two:v1', 'team/three:v1']) await scene.add(name)
  return {
    scene,
    night: async (jobs, flags = []) => {
      const text = `jobs:\n${jobs.map((job) => `  - ${job}\n`).join('')}`
      const config = await scene.write(
        'mirror.yaml',
        text.replaceAll('SRC', scene.source.host).replaceAll('DST', scene.target.host),
      )
      return scene.sync(argv`--config ${config} ${flags}`, {into: false})
    },
    there: () => thereIn(scene),
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

describe('targets in one registry prune nothing of each other', () => {
  test('with one namespace and other names', async () => {
    await using at = await jobsScene()
    const job = (references: string): string =>
      `{name: job, prune: true, references: [${references}], targets: [DST, {registry: DST, map-host: keep}]}`
    const kept = `${at.scene.source.host.replace(':', '-')}/team`
    for (let night = 0; night < 2; night++)
      expect(await at.night([job('SRC/team/one:v1, SRC/team/two:v1')])).toMatchObject(DONE)
    expect(at.there()).toEqual([`${kept}/one:v1`, `${kept}/two:v1`, 'team/one:v1', 'team/two:v1'])
    expect(await at.night([job('SRC/team/one:v1')])).toMatchObject(DONE)
    expect(at.there()).toEqual([`${kept}/one:v1`, 'team/one:v1'])
  })

  test('with a namespace inside the other', async () => {
    await using at = await jobsScene()
    const jobs = (first: string): readonly string[] => [
      `{name: one, prune: true, references: [${first}], targets: DST/a}`,
      `{name: two, prune: true, references: ['SRC/team/one:v1 a/team/one:v1'], targets: DST}`,
    ]
    expect(await at.night(jobs('SRC/team/one:v1, SRC/team/two:v1'))).toMatchObject(DONE)
    const {code, report} = await at.night(jobs('SRC/team/two:v1'))
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['present', 'present']})
    expect(at.there()).toEqual(['a/team/one:v1', 'a/team/two:v1'])
  })

  test('though one list goes to both, in runs of their own', async () => {
    await using at = await jobsScene()
    const {scene} = at
    const {host} = scene.source
    const list = await scene.list(`${host}/team/one:v1`, `${host}/team/two:v1`)
    const night = async (): Promise<void> => {
      for (const [into, flags] of [
        ['a', []],
        ['b', []],
        ['b', ['--rewrite', '^team/=crew/']],
      ] as const)
        expect(await scene.sync(argv`--images ${list} --prune ${flags}`, {into})).toMatchObject(DONE)
    }
    await night()
    await night()
    const all = [
      'a/team/one:v1',
      'a/team/two:v1',
      'b/crew/one:v1',
      'b/crew/two:v1',
      'b/team/one:v1',
      'b/team/two:v1',
    ]
    expect(at.there()).toEqual(all)
    await writeFile(list, `${host}/team/two:v1\n`)
    await night()
    expect(at.there()).toEqual(all.filter((name) => name.includes('two')))
  })
})

test('an image that moves from one job to another is neither removed nor put anew', async () => {
  await using at = await jobsScene()
  const jobs = (first: string, second: string): readonly string[] => [
    `{name: one, prune: true, references: [${first}], targets: DST/mirror}`,
    `{name: two, prune: true, references: [${second}], targets: DST/mirror}`,
  ]
  const [one, two, three] = ['SRC/team/one:v1', 'SRC/team/two:v1', 'SRC/team/three:v1'] as const
  expect(await at.night(jobs(`${one}, ${two}`, three))).toMatchObject(DONE)
  at.scene.clearLogs()
  const moved = await at.night(jobs(two, `${three}, ${one}`))
  expect({code: moved.code, statuses: statuses(moved.report)}).toEqual({
    code: 0,
    statuses: ['present', 'present', 'present'],
  })
  const changes = at.scene.target.requests.filter(({method}) => method === 'PUT' || method === 'DELETE')
  expect(changes.map(({path}) => path)).toEqual([])
  // and the job that it came from has no hold on it any more
  expect(await at.night(jobs(two, three))).toMatchObject(DONE)
  expect(at.there()).toEqual(['mirror/team/three:v1', 'mirror/team/two:v1'])
})

describe('a signature', () => {
  test('stays as long as any tag of its image does, and goes with the last', async () => {
    await using at = await jobsScene()
    const {scene} = at
    const image = await makeImage({seed: 'signed', layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
    const child = image.platforms[0]?.manifest.descriptor.digest
    if (child === undefined) throw new Error('no platform')
    for (const tag of ['v1', 'latest', 'stable']) await scene.add(`team/app:${tag}`, image)
    const signatures = [image.root.descriptor.digest, child].map((digest) => cosignTag(digest))
    for (const tag of signatures) await scene.add(`team/app:${tag}`)
    const night = async (...tags: readonly string[]): Promise<readonly string[]> => {
      const references = ['SRC/team/one:v1', ...tags.map((tag) => `SRC/team/app:${tag}`)]
      const job = `{name: job, prune: true, references: [${references.join(', ')}], targets: DST/mirror}`
      expect(await at.night([job])).toMatchObject(DONE)
      return scene.target.tags('mirror/team/app').toSorted()
    }
    expect(await night('v1', 'latest', 'stable')).toEqual(
      [...signatures, 'v1', 'latest', 'stable'].toSorted(),
    )
    expect(await night('latest', 'stable')).toEqual([...signatures, 'latest', 'stable'].toSorted())
    // the index of `latest` is another one from now on: what speaks of the old one belongs to `stable`
    await scene.add('team/app:latest')
    expect(await night('latest', 'stable')).toEqual([...signatures, 'latest', 'stable'].toSorted())
    expect(await night('stable')).toEqual([...signatures, 'stable'].toSorted())
    expect(await night()).toEqual([])
  })

  test('stays where another list names it', async () => {
    await using at = await jobsScene()
    const {scene} = at
    const image = await makeImage({seed: 'signed', layers: 1})
    const reference = await scene.add('team/app:v1', image)
    const signature = await scene.add(`team/app:${cosignTag(image.root.descriptor.digest)}`)
    const list = await scene.list(reference, `${scene.source.host}/team/one:v1`)
    const other = await scene.list(signature)
    for (const path of [list, other, list])
      expect(await scene.sync(argv`--images ${path} --prune --force`)).toMatchObject(DONE)
    await writeFile(list, `${scene.source.host}/team/one:v1\n`)
    expect(await scene.sync(argv`--images ${list} --prune`)).toMatchObject(DONE)
    expect(at.there()).toEqual(
      [signature, 'mirror/team/one:v1'].map((name) => name.replace(/^.*(?=team\/app)/, 'mirror/')).toSorted(),
    )
  })
})

test.each([
  ['a manifest', (image: string, _index: string) => image],
  ['an index that holds it', (_image: string, index: string) => index],
])('a registry that deletes by digest keeps what another list wants by digest: %s', async (_what, choose) => {
  await using at = await jobsScene({deletion: 'by-digest'})
  const {scene} = at
  const {host} = scene.source
  const index = await makeImage({seed: 'index', layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
  const [child] = index.platforms
  if (child === undefined) throw new Error('no platform')
  await addImage(scene.source, index, {repository: 'team/app'})
  await scene.add('team/app:v1', {...index, root: child.manifest})
  const image = child.manifest.descriptor.digest
  const list = await scene.list(`${host}/team/app:v1`, `${host}/team/one:v1`)
  const other = await scene.list(`${host}/team/app@${choose(image, index.root.descriptor.digest)}`)
  for (const path of [list, other]) expect(await scene.sync(argv`--images ${path}`)).toMatchObject(DONE)
  await writeFile(list, `${host}/team/one:v1\n`)
  const {code, stderr} = await scene.sync(argv`--images ${list} --prune`)
  expect(code).toBe(0)
  expect(stderr).toMatch(/v1 stays: this registry deletes only whole manifests/)
  expect(scene.target.manifest('mirror/team/app', image)).toBeDefined()
  expect(statuses((await scene.sync(argv`--images ${other} --force`)).report)).toEqual(['present'])
})

test('two lists whose tags share a manifest do not leave it to each other for good', async () => {
  await using at = await jobsScene({deletion: 'by-digest'})
  const {scene} = at
  const image = await makeImage({seed: 'shared', layers: 1})
  const lists: string[] = []
  const rest = `${scene.source.host}/team/one:v1`
  for (const tag of ['v1', 'v2']) {
    lists.push(await scene.list(await scene.add(`team/app:${tag}`, image), rest))
    expect(await scene.sync(argv`--images ${lists.at(-1) ?? ''} --prune`)).toMatchObject(DONE)
  }
  for (const list of lists) {
    await writeFile(list, `${rest}\n`)
    expect(await scene.sync(argv`--images ${list} --prune`)).toMatchObject(DONE)
  }
  expect(at.there()).toEqual(['mirror/team/one:v1'])
})

describe('prune: true in a job file removes nothing', () => {
  test('of what --include and --exclude leave out of one run', async () => {
    await using at = await jobsScene()
    const jobs = [
      '{name: job, prune: true, references: [SRC/team/one:v1, SRC/team/two:v1], targets: DST/mirror}',
    ]
    expect(await at.night(jobs)).toMatchObject(DONE)
    for (const flags of [
      ['--include', '**/two:*'],
      ['--exclude', '**/two:*'],
    ])
      expect(await at.night(jobs, flags)).toMatchObject(DONE)
    expect(at.there()).toEqual(['mirror/team/one:v1', 'mirror/team/two:v1'])
  })

  test('of a job of which an image failed, and says so; of the others it does', async () => {
    await using at = await jobsScene()
    const job = (name: string, ...references: readonly string[]): string =>
      `{name: ${name}, prune: true, references: [${references.join(', ')}], targets: DST/${name}}`
    const [one, two, missing] = ['SRC/team/one:v1', 'SRC/team/two:v1', 'SRC/team/missing:v1'] as const
    expect(await at.night([job('bad', one, two), job('good', one, two)])).toMatchObject(DONE)
    const {code, stderr} = await at.night([job('bad', one, missing), job('good', one)])
    expect(code).toBe(3)
    expect(stderr).toMatch(/not pruning the job "bad", because 1 of its images failed/)
    expect(at.there()).toEqual(['bad/team/one:v1', 'bad/team/two:v1', 'good/team/one:v1'])
  })

  test('of any job where one could not be done', async () => {
    await using at = await jobsScene()
    const good = (references: string): string =>
      `{name: good, prune: true, references: [${references}], targets: DST/good}`
    const bad = "{name: bad, references: [SRC/team/one:v1], exclude: ['**'], targets: DST/bad}"
    expect(await at.night([good('SRC/team/one:v1, SRC/team/two:v1')])).toMatchObject(DONE)
    expect(await at.night([good('SRC/team/one:v1'), bad])).toMatchObject({code: 3})
    expect(at.there()).toEqual(['good/team/one:v1', 'good/team/two:v1'])
  })
})

test('--prune is refused with --include, and prune: true for a list from standard input', async () => {
  await using at = await jobsScene()
  const {scene} = at
  const list = await scene.list(`${scene.source.host}/team/one:v1`)
  const narrowed = await scene.quietly(argv`--images ${list} --prune --include **`)
  expect({code: narrowed.code, stderr: narrowed.stderr}).toEqual({
    code: 2,
    stderr: expect.stringMatching(/--prune does not go with --include/) as string,
  })
  const piped = await at.night(["{name: job, prune: true, images: '-', targets: DST}"])
  expect(piped.code).toBe(2)
  expect(piped.stderr).toMatch(/standard input cannot be pruned by/)
  expect([...scene.source.requests, ...scene.target.requests]).toEqual([])
})

test('lists whose paths are long, or have a hyphen in them, are pruned by all the same', async () => {
  await using at = await jobsScene()
  const {scene} = at
  const {host} = scene.source
  const lists: string[] = []
  for (let index = 0; index < 5; index++) {
    lists.push(join(scene.directory, `${index} - ${'x'.repeat(220)}.txt`))
    await writeFile(lists[index] ?? '', `${host}/team/one:v1\n${host}/team/two:v1\n`)
  }
  const flags = lists.flatMap((list) => ['--images', list])
  expect(await scene.sync(argv`--prune ${flags}`)).toMatchObject(DONE)
  for (const list of lists) await writeFile(list, `${host}/team/one:v1\n`)
  expect(await scene.sync(argv`--prune ${flags}`)).toMatchObject(DONE)
  expect(at.there()).toEqual(['mirror/team/one:v1'])
})

test('a tag that cannot be removed is in the report, and not in --failed', async () => {
  await using at = await jobsScene({deletion: 'off'})
  const {scene} = at
  const {host} = scene.source
  const list = await scene.list(`${host}/team/one:v1`, `${host}/team/two:v1`)
  expect(await scene.sync(argv`--images ${list} --prune`)).toMatchObject(DONE)
  await writeFile(list, `${host}/team/one:v1\n`)
  const failed = join(scene.directory, 'failed.txt')
  const {code, report} = await scene.sync(argv`--images ${list} --prune --failed ${failed}`)
  expect({code, statuses: statuses(report)}).toEqual({code: 3, statuses: ['present', 'failed']})
  expect(await readFile(failed, 'utf8')).not.toMatch(/^[^#]/m)
})
