import {readFile} from 'node:fs/promises'
import {makeImage, runMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene} from './save.js'

test('a lock file of sync is a list for every command, and stands for the digests in it', async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'locked-app', platforms: ['linux/amd64', 'linux/arm64']})
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2'))
  const lock = scene.path('mirror.lock')
  expect(await scene.sync(['--images', list, '--lock', lock])).toMatchObject({code: 0})
  const text = await readFile(lock, 'utf8')
  expect(text).toContain(`${scene.source.host}/team/app:v1@${app.root.descriptor.digest}\n`)
  expect(text).toContain(`#   linux/arm64 ${app.platforms[1]?.manifest.descriptor.digest}`)
  const bundle = await scene.saved(lock, 'bundle.tar')
  // The tag moves: what was locked is fetched, pushed and looked for.
  await scene.add('team/app:v1', await makeImage({seed: 'locked-moved'}))
  const other = `${scene.target.host}/other`
  const synced = await scene.sync(['--images', lock, '--private-registry', other], {into: false})
  expect(synced).toMatchObject({code: 0})
  expect(scene.target.manifest('other/team/app', 'v1')?.digest).toBe(app.root.descriptor.digest)
  expect(await scene.push(bundle, ['--images', lock])).toMatchObject({code: 0})
  const target = ['--private-registry', `${scene.target.host}/mirror`, '--plain-http']
  const run = (args: readonly string[]) => runMirror(args, {home: scene.directory})
  const emitted = await run([
    'config',
    'emit',
    '--for',
    'containerd',
    '--images',
    lock,
    ...target,
    '--output',
    'out',
  ])
  expect(emitted).toMatchObject({code: 0})
  const checked = await run(['config', 'check', '--images', lock, '--files', 'out'])
  expect(checked.stderr + checked.stdout).toContain('team/app:v1')
  // A push that wants another digest than the bundle has is refused.
  const moved = await scene.saved(list, 'moved.tar')
  expect(await scene.push(moved, ['--images', lock])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('lacks 1 of the listed images'),
  })
})

test('a lock file that is written again is the same, with the sizes, if no image has changed', async () => {
  await using scene = await saveScene()
  const list = await scene.list(await scene.add('team/app:v1'), await scene.add('tool:v2'))
  const lock = scene.path('mirror.lock')
  const locked = async (): Promise<string> => {
    expect(await scene.sync(['--images', list, '--lock', lock])).toMatchObject({code: 0})
    return readFile(lock, 'utf8')
  }
  const first = await locked()
  expect(first.match(/^# {3}\d+ bytes$/gm)).toHaveLength(2)
  expect(await locked()).toBe(first)

  await scene.add('tool:v2', await makeImage({seed: 'another', layers: 2}))
  const changed = (await locked()).split('\n')
  expect(changed.filter((line) => !first.split('\n').includes(line))).toEqual([
    expect.stringContaining('/tool:v2@sha256:'),
    expect.stringMatching(/^# {3}\d+ bytes$/),
  ])
})
