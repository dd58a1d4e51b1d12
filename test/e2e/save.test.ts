import {createHash} from 'node:crypto'
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {addImage, makeImage, requireTool, runChild, type TestImage} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {cosignKeys, cosignSignature, cosignTag} from './cosign.js'
import {faultsIn} from './push.js'
import {saveScene, type SaveScene} from './save.js'
import {statuses} from './sync.js'

const platforms = ['linux/amd64', 'linux/arm64']

interface Stage {
  readonly list: string
  readonly app: TestImage
  readonly tool: TestImage
}

/** Two images, one with a signature under cosign's tag and a referrer. */
async function stage(scene: SaveScene): Promise<Stage> {
  const app = await makeImage({seed: 'save-app', platforms})
  const tool = await makeImage({seed: 'save-tool', base: app.platforms[0]?.layers ?? []})
  const references = [await scene.add('team/app:v1', app), await scene.add('tool:v2', tool)]
  const {digest} = app.root.descriptor
  const signature = cosignSignature(digest, {name: 'app', privateKey: cosignKeys().privateKey})
  await scene.add(`team/app:${cosignTag(digest)}`, signature)
  const sbom = await makeImage({
    seed: 'sbom',
    layers: 1,
    subject: tool.root.descriptor,
    artifactType: 'application/spdx+json',
  })
  await addImage(scene.source, sbom, {repository: 'tool'})
  return {list: await scene.list(...references), app, tool}
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

test('a list goes into a bundle and from there into a registry, with signatures and SBOMs, every digest kept', async () => {
  await using scene = await saveScene()
  const {list, app, tool} = await stage(scene)
  const saved = await scene.save(['--images', list, '--output', scene.path('bundle.tar.xz')])
  expect({code: saved.code, stderr: saved.stderr}).toMatchObject({code: 0})
  expect(
    saved.report.images.map(({source, target}) => [source === target, source.split('/').at(-1)]),
  ).toEqual([
    [true, 'app:v1'],
    [true, 'tool:v2'],
    [true, `app:${cosignTag(app.root.descriptor.digest)}`],
    [true, expect.stringMatching(/^tool@sha256:/)],
  ])
  expect(saved.report.images.map((image) => (image as {referrers?: number}).referrers)).toEqual([
    1,
    1,
    undefined,
    undefined,
  ])
  const pushed = await scene.push(scene.path('bundle.tar.xz'))
  expect({code: pushed.code, stderr: pushed.stderr}).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
  expect(scene.at('tool:v2')).toBe(tool.root.descriptor.digest)
  expect(scene.at(`team/app:${cosignTag(app.root.descriptor.digest)}`)).toBeDefined()
  expect(faultsIn(scene.target)).toEqual([])
})

test.each(['tar', 'tar.gz', 'tar.zst', 'tar.xz'])(
  'what was pushed from a .%s and is saved again has the same bytes',
  async (ending) => {
    await using scene = await saveScene()
    const {list} = await stage(scene)
    const first = await scene.saved(list, `first.${ending}`)
    await using other = await saveScene()
    // Another source under the same names: the names are in the bundle.
    const host = scene.source.host
    await scene.push(first)
    const mirror = `unqualified-search-registries = []\n[[registry]]\nprefix = "${host}"\nlocation = "${scene.target.host}/mirror"\ninsecure = true\n`
    const conf = await other.write('registries.conf', mirror)
    const again = await other.save([
      '--images',
      list,
      '--output',
      other.path(`again.${ending}`),
      '--source-mirrors',
      conf,
    ])
    expect({code: again.code, stderr: again.stderr}).toMatchObject({code: 0})
    expect(await sha256(other.path(`again.${ending}`))).toBe(await sha256(first))
  },
)

test('a directory and standard output hold the same bundle', async () => {
  await using scene = await saveScene()
  const {list, app} = await stage(scene)
  const tar = await scene.saved(list, 'bundle.tar')
  const directory = await scene.saved(list, 'bundle')
  expect((await readdir(directory)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
  const script = `"$0" "$@" > ${scene.path('piped.tar')}`
  const {mirrorProgram} = await import('@airgap-mirror/test/kit')
  const flags = ['save', '--images', list, '--output', '-', '--source-plain-http', '--quiet']
  await runChild('bash', ['-ec', script, process.execPath, mirrorProgram(), ...flags])
  expect(await sha256(scene.path('piped.tar'))).toBe(await sha256(tar))
  expect(await scene.push(directory)).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
})

test('a choice of platforms cuts an index, says so, and fetches nothing of the others', async () => {
  await using scene = await saveScene()
  const {app} = await stage(scene)
  const flags = ['--platform', 'linux/arm64', '--no-referrers']
  const one = await scene.list(`${scene.source.host}/team/app:v1`)
  scene.clearLogs()
  const cut = await scene.save(['--images', one, '--output', scene.path('arm.tar'), ...flags])
  expect(cut.code).toBe(0)
  expect(cut.report.images).toMatchObject([
    {
      sourceDigest: app.root.descriptor.digest,
      digestChanged: true,
      reason: expect.stringContaining('cut down'),
    },
  ])
  const [amd64] = app.platforms
  const asked = scene.source.requests.map(({path}) => path).join('\n')
  expect(asked).not.toContain(amd64?.manifest.descriptor.digest)
  const kept = await scene.save([
    '--images',
    one,
    '--output',
    scene.path('kept.tar'),
    ...flags,
    '--sparse-index',
    'as-is',
  ])
  expect(kept.report.images).toMatchObject([{digestChanged: false, targetDigest: app.root.descriptor.digest}])
})

test('an image that the source lacks fails alone, and the bundle holds the others', async () => {
  await using scene = await saveScene()
  const {app} = await stage(scene)
  const list = await scene.list(`${scene.source.host}/team/app:v1`, `${scene.source.host}/gone:v1`)
  const result = await scene.save(['--images', list, '--output', scene.path('out.tar'), '--no-referrers'])
  expect(result.code).toBe(3)
  expect(statuses(result.report)).toEqual(['pushed', 'failed'])
  expect(await scene.push(scene.path('out.tar'))).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
})

test('a run in which every image fails leaves nothing under the name', async () => {
  await using scene = await saveScene()
  const list = await scene.list(`${scene.source.host}/gone:v1`)
  const result = await scene.save(['--images', list, '--output', scene.path('out.tar')])
  expect(result.code).toBe(1)
  expect((await readdir(scene.directory)).filter((name) => name.startsWith('out'))).toEqual([])
})

test('a dry run says what would be fetched, and writes nothing', async () => {
  await using scene = await saveScene()
  const {list} = await stage(scene)
  const result = await scene.save(['--images', list, '--output', scene.path('out.tar'), '--dry-run'])
  expect(result).toMatchObject({code: 0, report: {outcome: 'planned'}})
  expect((await readdir(scene.directory)).filter((name) => name.startsWith('out'))).toEqual([])
})

test('volumes are read as one by their first part, and a missing one is named', async () => {
  await using scene = await saveScene()
  const app = await makeImage({seed: 'save-large', content: 'random', layerSize: 100_000})
  const list = await scene.list(await scene.add('team/app:v1', app))
  await scene.saved(list, 'set.tar', ['--max-size', '64K'])
  expect(await scene.push(scene.path('set.tar.001'))).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
  await runChild('rm', [scene.path('set.tar.002')])
  const {code, stderr} = await scene.push(scene.path('set.tar.001'))
  expect({code, stderr}).toEqual({code: 2, stderr: expect.stringContaining('set.tar.002')})
})

test('a delta bundle leaves out what an older bundle, its lock and its report name', async () => {
  await using scene = await saveScene()
  const {list, app} = await stage(scene)
  const old = await scene.saved(list, 'old.tar', [
    '--lock',
    scene.path('mirror.lock'),
    '--report',
    scene.path('old.json'),
  ])
  expect(await scene.push(old)).toMatchObject({code: 0})
  const newer = await makeImage({seed: 'save-newer', base: app.platforms[0]?.layers ?? []})
  const next = await scene.list(await scene.add('team/app:v2', newer))
  const sums = new Set<string>()
  for (const since of ['old.tar', 'mirror.lock', 'old.json']) {
    const delta = await scene.saved(next, `delta-${since}.tar`, ['--since', scene.path(since)])
    sums.add(await sha256(delta))
    const {stdout} = await runChild('tar', ['-tf', delta])
    for (const {descriptor} of app.platforms[0]?.layers ?? [])
      expect(stdout).not.toContain(descriptor.digest.slice(7))
  }
  expect(sums.size).toBe(1)
  expect(await scene.push(scene.path('delta-old.tar.tar'))).toMatchObject({code: 0})
  expect(scene.at('team/app:v2')).toBe(newer.root.descriptor.digest)
})

test('a lock file is a list that fetches what was locked, wherever the tags point by then', async () => {
  await using scene = await saveScene()
  const {list, app} = await stage(scene)
  const before = await scene.saved(list, 'before.tar', ['--lock', scene.path('mirror.lock')])
  const lock = await readFile(scene.path('mirror.lock'), 'utf8')
  const {host} = scene.source
  expect(lock.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
    `${host}/team/app:v1@${app.root.descriptor.digest}`,
    expect.stringContaining(`${host}/tool:v2@sha256:`),
    '',
  ])
  expect(lock).toContain(`#   linux/arm64 ${app.platforms[1]?.manifest.descriptor.digest}`)
  await scene.add('team/app:v1', await makeImage({seed: 'moved'}))
  const after = await scene.saved(scene.path('mirror.lock'), 'after.tar')
  expect(await sha256(after)).toBe(await sha256(before))
})

test('a signed bundle is checked by openssl and sha256sum alone', async (context) => {
  requireTool(context, 'openssl')
  await using scene = await saveScene()
  const {list} = await stage(scene)
  const key = scene.path('key.pem')
  await runChild('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key])
  await scene.saved(list, 'bundle.tar', ['--sign-key', key])
  const script = [
    'openssl ec -in key.pem -pubout -out key.pub 2>/dev/null',
    'openssl dgst -sha256 -verify key.pub -signature bundle.tar.SHA256SUMS.sig bundle.tar.SHA256SUMS',
    'sha256sum -c bundle.tar.SHA256SUMS',
  ].join('\n')
  const {code, stdout} = await runChild('bash', ['-ec', script], {cwd: scene.directory})
  expect({code, stdout}).toEqual({code: 0, stdout: 'Verified OK\nbundle.tar: OK\n'})
  // BusyBox takes a comment for a file that differs.
  const sums = await readFile(scene.path('bundle.tar.SHA256SUMS'), 'utf8')
  expect(sums).toMatch(/^[0-9a-f]{64} {2}bundle\.tar\n$/)
})

test('images that a job file wants are saved, those of its repositories too', async () => {
  await using scene = await saveScene()
  const {app} = await stage(scene)
  const job = [
    'jobs:',
    '  - name: all',
    '    targets: registry.example:5000',
    '    repositories:',
    `      - repository: ${scene.source.host}/team/app`,
    "        tags: [{glob: 'v*'}]",
    '',
  ].join('\n')
  const config = await scene.write('mirror.yaml', job)
  const result = await scene.save(['--config', config, '--output', scene.path('job.tar')])
  expect({code: result.code, stderr: result.stderr}).toEqual({code: 0, stderr: expect.any(String)})
  expect(await scene.push(scene.path('job.tar'))).toMatchObject({code: 0})
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
})

test.each([
  [['--output', 'x.tar.bz2'], 'names an archive that is not written'],
  [['--output', 'we\\ird.tar'], 'which its checksum file cannot name'],
  [['--output', '-', '--max-size', '4G'], 'does not go with standard output'],
  [['--output', 'x.tar', '--max-size', '5'], 'it takes 64K or more'],
  [['--output', '-', '--json'], 'both write standard output'],
] as const)('%s is refused before anything is asked', async (flags, message) => {
  await using scene = await saveScene()
  const {list} = await stage(scene)
  scene.clearLogs()
  const {runMirror} = await import('@airgap-mirror/test/kit')
  const args = ['save', '--images', list, '--source-plain-http', ...flags]
  const {code, stderr} = await runMirror(args, {home: scene.directory})
  expect({code, stderr}).toEqual({code: 2, stderr: expect.stringContaining(message)})
  expect(scene.source.requests).toEqual([])
})

test('a key that is none is refused', async () => {
  await using scene = await saveScene()
  const {list} = await stage(scene)
  await writeFile(scene.path('key.pem'), digestOf(Buffer.from('no key')))
  const flags = ['--output', scene.path('x.tar'), '--sign-key', scene.path('key.pem')]
  expect(await scene.save(['--images', list, ...flags])).toMatchObject({code: 2})
})

test('a delta bundle is refused before the first byte, with what the registry lacks', async () => {
  await using scene = await saveScene()
  const {list, app} = await stage(scene)
  await scene.saved(list, 'old.tar')
  const newer = await makeImage({seed: 'save-newer', base: app.platforms[0]?.layers ?? []})
  const next = await scene.list(await scene.add('team/app:v2', newer))
  const delta = await scene.saved(next, 'delta.tar', ['--since', scene.path('old.tar')])
  const {code, stderr} = await scene.push(delta)
  expect({code, stderr}).toEqual({
    code: 1,
    stderr: expect.stringContaining('that this delta bundle leaves out'),
  })
  for (const {descriptor} of app.platforms[0]?.layers ?? []) {
    expect(stderr).toContain(`${scene.target.host}/mirror/team/app@${descriptor.digest}`)
  }
  expect(scene.target.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')).toEqual([])
})
