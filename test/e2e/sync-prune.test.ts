import {describe, expect, test} from 'vitest'
import {rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  addImage,
  lacksTool,
  makeImage,
  runMirror,
  startDebianRegistry,
  withTempDir,
} from '@airgap-mirror/test/kit'
import type {RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {cosignKeys, cosignSignature, cosignTag} from './cosign.js'
import {statuses, syncScene, withReport, type SyncScene} from './sync.js'

const SILENT = {code: 0, stdout: '', stderr: ''}

interface Pruning extends AsyncDisposable {
  readonly scene: SyncScene
  /** The list, with `v1`, `v2` and `v3` in it. */
  readonly list: string
  /** Writes the list anew. */
  readonly want: (...names: readonly string[]) => Promise<void>
  readonly tags: () => readonly string[]
}

async function pruning(target: RegistryOptions = {}): Promise<Pruning> {
  const scene = await syncScene({target})
  for (const tag of ['v1', 'v2', 'v3']) await scene.add(`team/app:${tag}`)
  const list = join(scene.directory, 'list.txt')
  const want = (...names: readonly string[]): Promise<void> =>
    writeFile(list, names.map((name) => `${scene.source.host}/${name}\n`).join(''))
  await want('team/app:v1', 'team/app:v2', 'team/app:v3')
  expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
  return {
    scene,
    list,
    want,
    tags: () => scene.target.tags('mirror/team/app').toSorted(),
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

function deletions({target}: SyncScene): readonly string[] {
  return target.requests.filter(({method}) => method === 'DELETE').map(({path}) => path)
}

describe('--prune removes', () => {
  test('what an earlier run made and the list no longer names, once; without it nothing goes', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await at.want('team/app:v2')
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
    const {code, stderr, report} = await scene.sync(argv`--images ${list} --prune`)
    expect(code).toBe(0)
    expect(tags()).toEqual(['v2'])
    expect(statuses(report)).toEqual(['present', 'pruned', 'pruned'])
    expect(report.images[1]).toMatchObject({source: `${scene.source.host}/team/app:v1`})
    expect(stderr).toContain('2 pruned')
    scene.clearLogs()
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(deletions(scene)).toEqual([])
  })

  test('nothing that somebody else put there', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await addImage(scene.target, await makeImage({seed: 'theirs'}), {
      repository: 'mirror/team/app',
      tag: 'theirs',
    })
    await at.want('team/app:v1')
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['theirs', 'v1'])
  })

  test('nothing that somebody else has changed since', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await addImage(scene.target, await makeImage({seed: 'theirs'}), {
      repository: 'mirror/team/app',
      tag: 'v3',
    })
    await at.want('team/app:v1', 'team/app:v2')
    const {code, stderr, report} = await scene.sync(argv`--images ${list} --prune`)
    expect(code).toBe(0)
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
    expect(statuses(report)).toEqual(['present', 'present'])
    expect(stderr).toContain('v3 stays: somebody else has changed it')
  })

  test('nothing in a dry run, which says what would go', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await at.want('team/app:v1')
    const {code, report} = await scene.sync(argv`--images ${list} --prune --dry-run`)
    expect(code).toBe(0)
    expect(report.images.filter((image) => 'toRemove' in image).map(({target}) => target)).toEqual([
      `${scene.target.host}/mirror/team/app:v2`,
      `${scene.target.host}/mirror/team/app:v3`,
    ])
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
    const table = await (await scene.start(argv`--images ${list} --prune --dry-run`)).result
    expect(table.stdout).toMatch(/remove.*mirror\/team\/app:v2/)
  })

  test('nothing at all where more than --prune-max would go, which is an error; the images are done', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await scene.add('team/app:v4')
    await at.want('team/app:v4')
    const {code, stderr, report} = await scene.sync(argv`--images ${list} --prune --prune-max 2`)
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: target: 3 tags .* more than 2.*\nhint: .*--prune-max/m)
    expect(statuses(report)).toEqual(['pushed'])
    expect(tags()).toEqual(['v1', 'v2', 'v3', 'v4'])
    expect(await scene.quietly(argv`--images ${list} --prune --prune-max 3`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['v4'])
  })

  test('nothing without the state, which alone knows what is ours', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await rm(join(scene.directory, '.local'), {recursive: true})
    await at.want('team/app:v1')
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
  })

  test('signatures with their image, and not before', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    const image = await makeImage({seed: 'signed', layers: 1})
    const reference = await scene.add('team/app:v4', image)
    const {digest} = image.root.descriptor
    const {privateKey} = cosignKeys()
    await scene.add(`team/app:${cosignTag(digest)}`, cosignSignature(digest, {name: reference, privateKey}))
    await at.want('team/app:v1', 'team/app:v4')
    for (let night = 0; night < 2; night++) {
      expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
      expect(tags()).toEqual([cosignTag(digest), 'v1', 'v4'])
    }
    await at.want('team/app:v1')
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['v1'])
  })

  test('no signature as long as any tag of its image is wanted', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    const image = await makeImage({seed: 'twice', layers: 1})
    const reference = await scene.add('team/app:v9', image)
    await scene.add('team/app:latest', image)
    const {digest} = image.root.descriptor
    const {privateKey} = cosignKeys()
    await scene.add(`team/app:${cosignTag(digest)}`, cosignSignature(digest, {name: reference, privateKey}))
    for (const wanted of [['v9', 'latest'], ['latest']]) {
      await at.want(...wanted.map((tag) => `team/app:${tag}`))
      expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
      expect(tags()).toEqual([...wanted, cosignTag(digest)].toSorted())
    }
    await at.want('team/app:v1')
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['v1'])
  })

  test('nothing where the list cannot be read, is bad, or names nothing', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    for (const text of ['', 'Not/A:Reference\n']) {
      await writeFile(list, text)
      expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject({code: 2})
    }
    await rm(list)
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject({code: 2})
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
  })

  test('nothing of an image that its source has lost: it is still wanted', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    scene.source.setFaults([{match: {kind: 'head'}, times: Infinity, fault: {type: 'status', status: 404}}])
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject({code: 1})
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
  })

  test('nothing of another list, though both go to one target; what both want goes with the last', async () => {
    await using at = await pruning()
    const {scene, list, tags} = at
    await scene.add('team/app:other')
    const {host} = scene.source
    const other = await scene.list(`${host}/team/app:other`, `${host}/team/app:v1`)
    expect(await scene.quietly(argv`--images ${other} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['other', 'v1', 'v2', 'v3'])
    await at.want('team/app:v3')
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['other', 'v1', 'v3'])
    await writeFile(other, `${host}/team/app:other\n`)
    expect(await scene.quietly(argv`--images ${other} --prune`)).toMatchObject(SILENT)
    expect(tags()).toEqual(['other', 'v3'])
  })

  test('nothing where the registry does not delete, which is told', async () => {
    await using at = await pruning({deletion: 'off'})
    const {scene, list, tags} = at
    await at.want('team/app:v1')
    const {code, stderr} = await scene.quietly(argv`--images ${list} --prune`)
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: target: .*v2.*\n/m)
    expect(stderr).toMatch(/^hint: .*storage\.delete\.enabled/m)
    expect(tags()).toEqual(['v1', 'v2', 'v3'])
  })
})

describe.skipIf(lacksTool('docker-registry'))('Debian’s registry, which deletes by digest alone', () => {
  test('keeps what another tag needs, and lets go of the rest', async () => {
    await using scene = await syncScene()
    await using debian = await startDebianRegistry()
    const image = await makeImage({seed: 'shared', layers: 1})
    const index = await makeImage({seed: 'index', layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
    await scene.add('team/app:v1', image)
    await scene.add('team/app:same', image)
    await scene.add('team/app:index', index)
    const [child] = index.platforms
    if (child === undefined) throw new Error('no platform')
    await scene.add('team/app:child', {...index, root: child.manifest})
    await scene.add('team/app:alone')
    await withTempDir(async (directory) => {
      const list = join(directory, 'list.txt')
      const night = async (...tags: readonly string[]) => {
        await writeFile(list, tags.map((tag) => `${scene.source.host}/team/app:${tag}\n`).join(''))
        const flags = argv`--images ${list} --prune --plain-http --source-plain-http --json`
        const run = await runMirror(argv`sync --private-registry ${debian.host}/mirror ${flags}`, {
          home: scene.directory,
        })
        return withReport(run)
      }
      const tagsNow = async (): Promise<readonly string[]> => {
        const answer = await fetch(`${debian.url}/v2/mirror/team/app/tags/list`)
        const {tags} = (await answer.json()) as {readonly tags: readonly string[] | null}
        return (tags ?? []).toSorted()
      }
      expect((await night('v1', 'same', 'index', 'child', 'alone')).code).toBe(0)
      // the manifests of `same` and `child` are needed: by `v1`, and inside `index`
      const first = await night('v1', 'index')
      expect(first).toMatchObject({code: 0})
      expect(await tagsNow()).toEqual(['child', 'index', 'same', 'v1'])
      expect(first.stderr).toMatch(/same stays: this registry deletes only whole manifests, and v1 still/)
      // and go after what needed them
      expect(await night('v1')).toMatchObject({code: 0})
      expect(await tagsNow()).not.toContain('index')
      expect(await night('v1')).toMatchObject({code: 0})
      expect(await tagsNow()).toEqual(['same', 'v1'])
      await scene.add('team/app:last')
      expect(await night('last')).toMatchObject({code: 0})
      expect(await tagsNow()).toEqual(['last'])
    })
  })
})
