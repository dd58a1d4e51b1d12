import {readFile} from 'node:fs/promises'
import {makeImage, runMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'
import {statuses, withReport} from './sync.js'

const ARM = ['--platform', 'linux/arm64'] as const

/** The exit code of a verification, with the statuses of the images. */
async function verified(scene: SaveScene, flags: readonly string[]): Promise<readonly unknown[]> {
  const target = ['--private-registry', `${scene.target.host}/mirror`, '--plain-http', '--json']
  const {code, report} = withReport(await runMirror(['verify', ...target, ...flags], {home: scene.directory}))
  return [code, ...statuses(report)]
}

async function stage(scene: SaveScene) {
  const app = await makeImage({seed: 'locked-platforms', platforms: ['linux/amd64', 'linux/arm64']})
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2'))
  // The tool is for another platform, and would fail.
  const only = await scene.list(`${scene.source.host}/team/app:v1`)
  const [amd64, arm64] = app.platforms
  if (amd64 === undefined || arm64 === undefined) throw new Error('an image without platforms')
  return {app, list, only, amd64, arm64, lock: scene.path('mirror.lock')}
}

test('the lock file of a save for one platform says what was left out, and fits its bundle everywhere', async () => {
  await using scene = await saveScene()
  const {only, amd64, arm64, lock} = await stage(scene)
  const bundle = await scene.saved(only, 'arm.tar', [...ARM, '--lock', lock])
  const text = await readFile(lock, 'utf8')
  expect(text).toContain(`#   linux/amd64 ${amd64.manifest.descriptor.digest} left out\n`)
  expect(text).toContain(`#   linux/arm64 ${arm64.manifest.descriptor.digest}\n`)

  expect(await scene.push(bundle, ['--images', lock])).toMatchObject({code: 0})
  expect(await verified(scene, ['--images', lock])).toEqual([0, 'verified'])
  expect(await verified(scene, ['--images', lock, '--deep'])).toEqual([0, 'verified'])
  expect(await verified(scene, ['--images', lock, '--platform', 'linux/amd64'])).toEqual([4, 'differs'])
  const inspected = await runMirror(['inspect', bundle, '--diff', lock, '--json'], {home: scene.directory})
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    diff: {totals: {added: 0, removed: 0, changed: 0, same: 1}, bytes: {toCarry: 0}},
  })
  scene.target.loseBlob('mirror/team/app', arm64.config.descriptor.digest)
  expect(await verified(scene, ['--images', lock])).toEqual([4, 'differs'])
})

test('a delta since the lock file of one platform holds the others', async () => {
  await using scene = await saveScene()
  const {app, only, amd64, arm64, lock} = await stage(scene)
  expect(await scene.push(await scene.saved(only, 'arm.tar', [...ARM, '--lock', lock]))).toMatchObject({
    code: 0,
  })
  const delta = await scene.saved(only, 'delta.tar', ['--since', lock])
  const {stdout} = await runMirror(['inspect', delta, '--json'], {home: scene.directory})
  const left = new Set([arm64.config, ...arm64.layers].map(({descriptor}) => descriptor.digest))
  expect(JSON.parse(stdout)).toMatchObject({bundle: {leftOut: {blobs: left.size}}})
  expect(await scene.push(delta)).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
  expect(scene.target.manifest('mirror/team/app', amd64.manifest.descriptor.digest)).toBeDefined()
})

test('a lock file of all platforms proves a registry that has only the chosen ones', async () => {
  await using scene = await saveScene()
  const {list, only, lock} = await stage(scene)
  const whole = await scene.saved(list, 'whole.tar', ['--lock', lock])
  const flags = ['--include', '**/app:*', ...ARM]
  const source = ['--images', only, '--source-plain-http', ...ARM]
  // By default, a push gives the tag to the only child, and a sync to an index of one.
  expect(await scene.push(whole, flags)).toMatchObject({code: 0})
  expect(await verified(scene, ['--images', lock, ...flags])).toEqual([0, 'verified'])
  expect(await verified(scene, source)).toEqual([0, 'verified'])
  expect(await scene.sync(['--images', only, ...ARM, '--force'])).toMatchObject({code: 0})
  expect(await verified(scene, ['--images', lock, ...flags])).toEqual([0, 'verified'])
  expect(await verified(scene, source)).toEqual([0, 'verified'])
  expect(await verified(scene, ['--source', whole, ...flags])).toEqual([0, 'verified'])
  expect(await verified(scene, ['--images', lock, '--include', '**/app:*'])).toEqual([4, 'differs'])
})

test('sync marks in its lock file what a choice of platforms left out', async () => {
  await using scene = await saveScene()
  const {only, amd64, lock} = await stage(scene)
  expect(await scene.sync(['--images', only, ...ARM, '--lock', lock])).toMatchObject({code: 0})
  expect(await readFile(lock, 'utf8')).toContain(`${amd64.manifest.descriptor.digest} left out\n`)
  expect(await verified(scene, ['--images', lock])).toEqual([0, 'verified'])
})
