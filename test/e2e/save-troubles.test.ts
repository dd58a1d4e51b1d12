import {cp, mkdir, readdir, rename} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {
  addImage,
  cleanEnvironment,
  makeImage,
  mirrorProgram,
  requireTool,
  runChild,
} from '@airgap-mirror/test/kit'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'
import {statuses} from './sync.js'

test('a disk that fills up while blobs arrive ends the save with code 1, and nothing has the name of the bundle', async (context) => {
  requireTool(context, 'unshare', 'mount')
  await using scene = await saveScene()
  const image = await makeImage({seed: 'disk-fills', layers: 12, layerSize: 500})
  const list = await scene.list(await scene.add('team/app:v1', image))
  await mkdir(scene.path('disk'))
  // There is room for the bytes, so that only writing shows that there is none for the files.
  const mount = `mount -t tmpfs -o size=64m,nr_inodes=10 none ${scene.path('disk')} || exit 99`
  const save = `node "$0" save --images ${list} --output disk/out.tar --source-plain-http --quiet`
  const script = `${mount}; ${save}; code=$?; ls -A disk; exit $code`
  const options = {cwd: scene.directory, env: cleanEnvironment(scene.directory)}
  const result = await runChild('unshare', ['-rm', 'sh', '-c', script, mirrorProgram()], options)
  if (result.code === 99 || result.stderr.startsWith('unshare:')) {
    context.skip(`a small disk cannot be made here: ${result.stderr}`)
    return
  }
  expect({...result, ms: 0}).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^(?:out\.tar\.partial\n)?$/),
  })
  expect(result.stderr).toMatch(/error: target: .*cannot write disk\/out\.tar\.partial.*no space left/i)
  expect(result.stderr).toContain('hint: ')
})

test('a volume that cannot be read is named before anything is sent', async () => {
  await using scene = await saveScene()
  const image = await makeImage({seed: 'unreadable', content: 'random', layerSize: 100_000, layers: 1})
  const list = await scene.list(await scene.add('team/app:v1', image))
  await scene.saved(list, 'set.tar', ['--max-size', '64K'])
  await rename(scene.path('set.tar.002'), scene.path('kept'))
  await mkdir(scene.path('set.tar.002'))
  const {code, stderr} = await scene.push(scene.path('set.tar.001'))
  expect({code, stderr}).toEqual({code: 2, stderr: expect.stringContaining('set.tar.002')})
  expect(scene.target.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')).toEqual([])
})

/** Adds `tool:v2`, and `huge:v1` with a layer that claims this size. @returns a list of both */
async function listWithClaim(scene: SaveScene, size: number): Promise<string> {
  const huge = await makeImage({seed: 'huge', layers: 1})
  await addImage(scene.source, huge, {repository: 'huge'})
  const manifest = JSON.parse(Buffer.from(huge.root.bytes).toString()) as {layers: object[]}
  const digest = digestOf(Buffer.from('a layer that the registry lacks'))
  const claiming = {...manifest, layers: [{...manifest.layers[0], digest, size}]}
  const bytes = Buffer.from(JSON.stringify(claiming))
  const {mediaType} = huge.root.descriptor
  scene.source.addManifest({repository: 'huge', reference: 'v1', mediaType, bytes})
  return scene.list(`${scene.source.host}/huge:v1`, await scene.add('tool:v2'))
}

test('an image that claims more than any file can have fails alone', async () => {
  await using scene = await saveScene({source: {missingContent: 'allow'}})
  const list = await listWithClaim(scene, 2 ** 50)
  const {code, report} = await scene.save(['--images', list, '--output', scene.path('out.tar')])
  expect({code, statuses: statuses(report)}).toEqual({code: 3, statuses: ['failed', 'pushed']})
  expect(report.images[0]).toMatchObject({
    source: `${scene.source.host}/huge:v1`,
    error: {code: 'LIMIT_EXCEEDED', message: expect.stringContaining('layers[0]') as string},
  })
})

test('the image that is too large for the disk is named before anything is fetched', async () => {
  await using scene = await saveScene({source: {missingContent: 'allow'}})
  const list = await listWithClaim(scene, 2 ** 44)
  scene.clearLogs()
  const {code, stderr} = await scene.save(['--images', list, '--output', scene.path('out.tar')])
  expect({code, stderr}).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /TiB are missing; the largest image is 127\.0\.0\.1:\d+\/huge:v1, with 17\.6 TB/,
    ),
  })
  expect(scene.source.requests.filter(({kind}) => kind === 'blob-get')).toEqual([])
})

test('a source that loses a layer half-way fails that image alone; without others nothing has the name', async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'loses-app', layers: 2})
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2'))
  const layer = app.platforms[0]?.layers[1]?.descriptor.digest
  if (layer === undefined) throw new Error('the image has no layer')
  scene.source.loseBlob('team/app', layer)
  const result = await scene.save(['--images', list, '--output', scene.path('out.tar')])
  expect({code: result.code, statuses: statuses(result.report)}).toEqual({
    code: 3,
    statuses: ['failed', 'pushed'],
  })
  expect(result.report.images[0]?.error?.message).toContain(layer.slice(7, 19))
  expect(await scene.push(scene.path('out.tar'))).toMatchObject({code: 0})
  const alone = await scene.list(`${scene.source.host}/team/app:v1`)
  expect(await scene.save(['--images', alone, '--output', scene.path('alone.tar')])).toMatchObject({code: 1})
  const left = (await readdir(scene.directory)).filter((name) => name.startsWith('alone'))
  expect(left.filter((name) => name !== 'alone.tar.partial')).toEqual([])
})

test('a signature that the source lists and cannot give fails, and does not count among those of its image', async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'unsigned-app', layers: 1})
  const reference = await scene.add('team/app:v1', app)
  const signatures = await Promise.all(
    ['one', 'other'].map((seed) =>
      makeImage({
        seed: `sig-${seed}`,
        layers: 1,
        subject: app.root.descriptor,
        artifactType: 'application/sig',
      }),
    ),
  )
  for (const signature of signatures) await addImage(scene.source, signature, {repository: 'team/app'})
  const lost = signatures[0]?.platforms[0]?.layers[0]?.descriptor.digest
  if (lost === undefined) throw new Error('a signature without a layer')
  scene.source.loseBlob('team/app', lost)
  const flags = ['--images', await scene.list(reference), '--output', scene.path('out.tar')]
  const {code, stderr, report} = await scene.save(flags)
  expect({code, statuses: statuses(report).toSorted()}).toEqual({
    code: 3,
    statuses: ['failed', 'pushed', 'pushed'],
  })
  expect(stderr).toContain(`team/app@${signatures[0]?.root.descriptor.digest}`)
  expect(report.images).toContainEqual(expect.objectContaining({source: reference, referrers: 1}))
})

test('the report names each image whose signatures the registry could not list', async () => {
  await using scene = await saveScene()
  const references = [await scene.add('one:v1'), await scene.add('two:v1', await makeImage({seed: 'two'}))]
  scene.source.setFaults([
    {match: {kind: 'referrers'}, times: Infinity, fault: {type: 'status', status: 403}},
  ])
  const flags = ['--images', await scene.list(...references), '--output', scene.path('out.tar')]
  const {code, stderr, report} = await scene.save(flags)
  expect({code, stderr}).toMatchObject({code: 0})
  expect(report.warnings).toHaveLength(2)
  for (const name of ['one', 'two'])
    expect(report.warnings).toContainEqual(expect.stringMatching(`/${name}@sha256:.* may be missing .* 403`))
  // People get a line for the first, and one for the names of the others.
  expect(stderr.match(/may be missing/g)).toHaveLength(2)
})

test('a .tar.xz is refused before anything is fetched where no native part loads', async () => {
  await using scene = await saveScene()
  const list = await scene.list(
    await scene.add('team/app:v1', await makeImage({seed: 'no-encoder', layers: 1})),
  )
  const installed = join(dirname(mirrorProgram()), '..')
  for (const part of ['bin', 'dist/bundle', 'package.json'])
    await cp(join(installed, part), join(scene.directory, 'alone', part), {recursive: true})
  const args = ['save', '--images', list, '--source-plain-http', '--output', scene.path('out.tar.xz')]
  const options = {cwd: scene.directory, env: cleanEnvironment(scene.directory)}
  const program = join(scene.directory, 'alone/bin/run.js')
  const {code, stderr} = await runChild(process.execPath, [program, ...args], options)
  expect({code, stderr}).toEqual({
    code: 2,
    stderr: expect.stringMatching(
      /this machine has no encoder of xz\nhint: Name a file that ends in \.tar\.zst\.$/m,
    ),
  })
  expect(scene.source.requests.filter(({path}) => path.includes('/blobs/'))).toEqual([])
})

test('a device is refused as a directory, without the advice to remove it', async () => {
  await using scene = await saveScene()
  const image = await makeImage({seed: 'save-device'})
  const list = await scene.list(await scene.add('team/app:v1', image))
  const {code, stderr} = await scene.save(['--images', list, '--output', '/dev/null'])
  expect({code, stderr}).toEqual({code: 2, stderr: expect.stringContaining('/dev/null is not a directory')})
  expect(stderr).not.toContain('remove')
})
