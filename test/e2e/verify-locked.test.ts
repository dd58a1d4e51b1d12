import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage, runMirror} from '@airgap-mirror/test/kit'
import {readFile, writeFile} from 'node:fs/promises'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'
import {statuses, withReport, type Synced} from './sync.js'

async function verify(scene: SaveScene, flags: readonly string[]): Promise<Synced> {
  const target = ['--private-registry', `${scene.target.host}/mirror`, '--plain-http', '--json']
  return withReport(await runMirror(['verify', ...target, ...flags], {home: scene.directory}))
}

test('a lock file proves a registry alone: no source is asked, and every difference is told', async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'verify-locked', platforms: ['linux/amd64', 'linux/arm64']})
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2'))
  const lock = scene.path('mirror.lock')
  expect(await scene.sync(['--images', list, '--lock', lock])).toMatchObject({code: 0})
  scene.clearLogs()
  const whole = await verify(scene, ['--images', lock])
  expect({code: whole.code, statuses: statuses(whole.report)}).toEqual({
    code: 0,
    statuses: ['verified', 'verified'],
  })
  expect(scene.source.requests).toEqual([])
  expect(whole.report.totals.blobs.present).toBeGreaterThan(4)
  const layer = app.platforms[1]?.layers[0]?.descriptor.digest
  if (layer === undefined) throw new Error('the image has no layer')
  const repository = 'mirror/team/app'
  scene.target.loseBlob(repository, layer)
  const lacking = await verify(scene, ['--images', lock])
  expect({code: lacking.code, statuses: statuses(lacking.report)}).toEqual({
    code: 4,
    statuses: ['differs', 'verified'],
  })
  expect(lacking.report.images[0]?.error?.message).toContain(hexOf(layer))
  // The other platform lacks nothing.
  expect(await verify(scene, ['--images', lock, '--platform', 'linux/amd64'])).toMatchObject({code: 0})
})

test("a node's images are compared by their repo digests", async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'verify-node'})
  const {host} = scene.source
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2'))
  expect(await scene.sync(['--images', list])).toMatchObject({code: 0})
  const image = (name: string, digest: string) => ({
    status: {repoTags: [`${host}/${name}:v1`], repoDigests: [`${host}/${name}@${digest}`]},
  })
  const {digest} = app.root.descriptor
  const good = await scene.write('good.json', JSON.stringify(image('team/app', digest)))
  expect(await verify(scene, ['--crictl', good])).toMatchObject({code: 0})
  const bad = await scene.write('bad.json', JSON.stringify([image('team/app', `sha256:${'1'.repeat(64)}`)]))
  const differing = await verify(scene, ['--crictl', bad])
  expect({code: differing.code, statuses: statuses(differing.report)}).toEqual({
    code: 4,
    statuses: ['differs'],
  })
  expect(differing.report.images[0]?.error?.message).toContain(`is ${digest}, not sha256:1111`)
  // CRI-O keeps the digests of the index and of the platform; an image of the node itself has none.
  const both = [`sha256:${'1'.repeat(64)}`, digest].map((own) => `${host}/team/app@${own}`)
  const images = [
    {repoTags: [`${host}/team/app:v1`], repoDigests: both},
    {id: 'sha256:2', repoTags: ['local/built:v1'], repoDigests: []},
  ]
  const node = await scene.write('node.json', JSON.stringify({images}))
  const mixed = await verify(scene, ['--crictl', node])
  expect({code: mixed.code, digests: mixed.report.images.map(({sourceDigest}) => sourceDigest)}).toEqual({
    code: 0,
    digests: [digest],
  })
  expect(mixed.stderr).toContain('no repo digest of them: docker.io/local/built:v1')
  expect(await verify(scene, ['--crictl', node, '--include', 'quay.io/**'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no image of the source matches quay.io/**') as string,
  })
})

test('a list without images, or a lock file that lost a digest, proves nothing', async () => {
  await using scene = await saveScene()
  const tool = await scene.add('tool:v2')
  const lock = scene.path('mirror.lock')
  const bundle = await scene.saved(await scene.list(tool), 'bundle.tar', ['--lock', lock])
  const broken = scene.path('broken.lock')
  await writeFile(broken, (await readFile(lock, 'utf8')).replace(/@sha256:.*/, ''))
  const empty = scene.path('empty.txt')
  await writeFile(empty, '# not yet\n')
  expect(await verify(scene, ['--images', broken])).toMatchObject({
    code: 2,
    report: {error: {code: 'LIST_INVALID', message: expect.stringContaining(`line 3: ${tool}`)}},
  })
  for (const flags of [
    ['--images', empty],
    ['--source', bundle, '--images', empty],
  ])
    expect(await verify(scene, flags)).toMatchObject({code: 2, report: {error: {code: 'LIST_INVALID'}}})
})

test('after a run in which nothing failed, its list leaves verify and save nothing to do', async () => {
  await using scene = await saveScene()
  const list = scene.path('failed.txt')
  await writeFile(list, '# mirror: nothing failed\n')
  expect(await verify(scene, ['--images', list])).toMatchObject({code: 0, report: {images: []}})
  const saved = await scene.save(['--images', list, '--output', scene.path('none.tar')])
  expect(saved).toMatchObject({code: 0, report: {outcome: 'ok', images: []}})
  await expect(readFile(scene.path('none.tar'))).rejects.toThrow('ENOENT')
})
