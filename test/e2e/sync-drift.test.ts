import {expect, test} from 'vitest'
import {addImage, makeImage, type TestImage} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {statuses, syncScene, type SyncScene} from './sync.js'
import {until} from './until.js'

const SILENT = {code: 0, stdout: '', stderr: ''}

/** Puts another image under a name of the target, as another user would. */
async function meddle(scene: SyncScene, name: string): Promise<TestImage> {
  const image = await makeImage({seed: `theirs ${name}`, layers: 1})
  const [repository = '', tag = ''] = name.split(':')
  await addImage(scene.target, image, {repository: `mirror/${repository}`, tag})
  return image
}

/** Two images that were mirrored, of which the second was changed at the target. */
async function drifted(): Promise<{
  readonly scene: SyncScene
  readonly list: string
  readonly theirs: TestImage
}> {
  const scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'), await scene.add('team/tool:v1'))
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  return {scene, list, theirs: await meddle(scene, 'team/tool:v1')}
}

test('a tag that somebody else has changed is reported and left, every night', async () => {
  const {scene, list, theirs} = await drifted()
  await using _ = scene
  for (let night = 2; night <= 3; night++) {
    const {code, stderr, report} = await scene.sync(argv`--images ${list}`)
    expect(code).toBe(3)
    expect(statuses(report)).toEqual(['present', 'drifted'])
    expect(report.images[1]).toMatchObject({
      targetDigest: theirs.root.descriptor.digest,
      error: {code: 'TAG_CHANGED', side: 'target'},
    })
    expect(stderr).toMatch(
      /^error: target: .*mirror\/team\/tool:v1 was changed by somebody else.*\nhint: .*--force/m,
    )
    expect(scene.at('team/tool:v1')).toBe(theirs.root.descriptor.digest)
  }
})

test('--quiet tells of it, and a dry run, too', async () => {
  const {scene, list, theirs} = await drifted()
  await using _ = scene
  const quiet = await scene.quietly(argv`--images ${list}`)
  expect(quiet).toMatchObject({code: 3, stdout: ''})
  expect(quiet.stderr).toContain('changed by somebody else')
  const dry = await scene.sync(argv`--images ${list} --dry-run`)
  expect(dry.code).toBe(3)
  expect(statuses(dry.report)).toEqual(['present', 'drifted'])
  expect(scene.at('team/tool:v1')).toBe(theirs.root.descriptor.digest)
})

test('also where the source has moved on meanwhile', async () => {
  const {scene, list, theirs} = await drifted()
  await using _ = scene
  for (const name of ['team/app:v1', 'team/tool:v1'])
    await scene.add(name, await makeImage({seed: `newer ${name}`, layers: 1}))
  const {code, report} = await scene.sync(argv`--images ${list}`)
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['pushed', 'drifted'])
  expect(scene.at('team/tool:v1')).toBe(theirs.root.descriptor.digest)
})

test('--force overwrites it, and the next night is quiet again', async () => {
  const {scene, list} = await drifted()
  await using _ = scene
  const {code, report} = await scene.sync(argv`--images ${list} --force`)
  expect(code).toBe(0)
  expect(statuses(report)).toEqual(['present', 'pushed'])
  const mine = await makeImage({seed: 'team/tool:v1', layers: 1})
  expect(scene.at('team/tool:v1')).toBe(mine.root.descriptor.digest)
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
})

test('a tag that somebody else has deleted is put there again', async () => {
  await using scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  await scene.sync(argv`--images ${list}`)
  const digest = scene.at('team/app:v1')
  await fetch(`${scene.target.url}/v2/mirror/team/app/manifests/v1`, {method: 'DELETE'})
  expect(scene.at('team/app:v1')).toBeUndefined()
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(scene.at('team/app:v1')).toBe(digest)
})

test('somebody who has put there what the source has now has done no harm', async () => {
  await using scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  await scene.sync(argv`--images ${list}`)
  const newer = await makeImage({seed: 'newer', layers: 1})
  await scene.add('team/app:v1', newer)
  await addImage(scene.target, newer, {repository: 'mirror/team/app', tag: 'v1'})
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
})

test('what was there before the first night is overwritten: nobody knows whose it is', async () => {
  await using scene = await syncScene()
  await meddle(scene, 'team/app:v1')
  const image = await makeImage({seed: 'ours', layers: 1})
  const list = await scene.list(await scene.add('team/app:v1', image))
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(scene.at('team/app:v1')).toBe(image.root.descriptor.digest)
})

test.each([[[]], [['--platform', 'linux/amd64']]])(
  'a run that is killed between its tags and its state is no drift the next night (%j)',
  async (flags) => {
    await using scene = await syncScene()
    const make = (seed: string): Promise<TestImage> =>
      makeImage({seed, layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
    const one = await scene.add('team/one:v1', await make('one'))
    const two = await scene.add('team/two:v1', await make('two'))
    const list = await scene.list(one, two)
    expect(await scene.quietly(argv`--images ${list} ${flags}`)).toMatchObject(SILENT)
    await scene.add('team/one:v1', await make('one anew'))
    await scene.add('team/two:v1', await make('two anew'))
    const before = scene.at('team/one:v1')
    // the second image never arrives, so that the run is still at work when the tag of the first is there
    await killedRun(scene, {
      args: argv`--images ${list} ${flags}`,
      stalled: /team\/two/,
      until: () => scene.at('team/one:v1') !== before,
    })
    // and the source moves on once more
    await scene.add('team/one:v1', await make('one, a third time'))
    expect(await scene.quietly(argv`--images ${list} ${flags}`)).toMatchObject(SILENT)
    expect(scene.at('team/one:v1')).not.toBe(before)
    expect(faultsIn(scene.target).filter((fault) => !fault.includes('upload sessions'))).toEqual([])
    expect(await scene.quietly(argv`--images ${list} ${flags}`)).toMatchObject(SILENT)
  },
)

test('nor are two that were killed one after the other, the second before its first tag', async () => {
  await using scene = await syncScene()
  const reference = await scene.add('team/one:v1')
  const list = await scene.list(reference, await scene.add('team/two:v1'))
  await scene.sync(argv`--images ${list}`)
  const args = argv`--images ${list}`
  for (const [round, stalled] of [/team\/two/, /team\/one/].entries()) {
    const before = scene.at('team/one:v1')
    for (const name of ['team/one:v1', 'team/two:v1'])
      await scene.add(name, await makeImage({seed: `${name} ${round}`, layers: 1}))
    scene.clearLogs()
    const isAtIt = (): boolean =>
      round === 0
        ? scene.at('team/one:v1') !== before
        : scene.source.requests.some(({kind, path}) => kind === 'blob-get' && stalled.test(path))
    await killedRun(scene, {args, stalled, until: isAtIt})
  }
  expect(await scene.quietly(args)).toMatchObject(SILENT)
  expect(scene.at('team/one:v1')).toBe(
    (await makeImage({seed: 'team/one:v1 1', layers: 1})).root.descriptor.digest,
  )
})

/** A run that is killed when it has come so far, while the source keeps some blobs back. */
async function killedRun(
  scene: SyncScene,
  run: {readonly args: readonly string[]; readonly stalled: RegExp; readonly until: () => boolean},
): Promise<void> {
  scene.source.setFaults([
    {match: {kind: 'blob-get', path: run.stalled}, times: Infinity, fault: {type: 'stall'}},
  ])
  const child = await scene.start(['--quiet', ...run.args])
  await until(run.until)
  child.kill('SIGKILL')
  await child.result
  scene.source.setFaults([])
}
