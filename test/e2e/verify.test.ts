import {readFile, writeFile} from 'node:fs/promises'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {addImage, dockerArchive, makeImage, runMirror, tarBytes} from '@airgap-mirror/test/kit'
import {saveScene, type SaveScene} from './save.js'
import {statuses, withReport, type Synced} from './sync.js'

const platforms = ['linux/amd64', 'linux/arm64']

async function pushed(scene: SaveScene): Promise<{readonly bundle: string; readonly list: string}> {
  const app = await makeImage({seed: 'verify-app', platforms})
  const tool = await makeImage({seed: 'verify-tool'})
  const references = [await scene.add('team/app:v1', app), await scene.add('tool:v2', tool)]
  const sbom = await makeImage({
    seed: 'verify-sbom',
    layers: 1,
    subject: tool.root.descriptor,
    artifactType: 'application/spdx+json',
  })
  await addImage(scene.source, sbom, {repository: 'tool'})
  const list = await scene.list(...references)
  const bundle = await scene.saved(list, 'bundle.tar')
  const {code} = await scene.push(bundle)
  expect(code).toBe(0)
  scene.target.clearLog()
  return {bundle, list}
}

async function verify(scene: SaveScene, flags: readonly string[]): Promise<Synced> {
  return withReport(
    await runMirror(
      ['verify', '--json', '--plain-http', '--private-registry', `${scene.target.host}/mirror`, ...flags],
      {home: scene.directory},
    ),
  )
}

test('everything that a push put there is verified: tags, platforms, configs, layers and referrers', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const {code, report, stderr} = await verify(scene, ['--source', bundle])
  expect({code, stderr, statuses: statuses(report)}).toMatchObject({
    code: 0,
    statuses: ['verified', 'verified', 'verified'],
  })
  expect(report.outcome).toBe('ok')
  expect(scene.target.requests.filter(({method}) => method !== 'HEAD' && method !== 'GET')).toEqual([])
  expect(scene.target.requests.filter(({kind}) => kind === 'blob-get')).toEqual([])
})

test('with --deep every blob is read back once', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const {code, report} = await verify(scene, ['--source', bundle, '--deep'])
  expect({code, statuses: statuses(report)}).toEqual({
    code: 0,
    statuses: ['verified', 'verified', 'verified'],
  })
  const read = scene.target.requests.filter(({kind}) => kind === 'blob-get')
  expect(read.length).toBe(report.totals.blobs.present)
})

test('a blob that the registry lost is a difference, and what differs can be pushed again', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const lost = scene.target.blobs('mirror/team/app')[0]
  if (lost === undefined) throw new Error('nothing was pushed')
  scene.target.loseBlob('mirror/team/app', lost)
  const failed = scene.path('failed.txt')
  const {code, report, stderr} = await verify(scene, ['--source', bundle, '--failed', failed])
  expect({code}, `printed: ${stderr}`).toEqual({code: 4})
  expect(statuses(report)).toEqual(['differs', 'verified', 'verified'])
  expect(report.images[0]?.error).toMatchObject({
    code: 'BLOB_MISSING',
    message: expect.stringContaining(`mirror/team/app lacks the blob ${lost}`) as string,
    hint: 'Push the image again with "mirror push --recheck", or sync it with "mirror sync --force", then verify again.',
  })
  expect((await readFile(failed, 'utf8')).trim()).toBe(report.images[0]?.source)
})

test('a signature that the registry lost is pushed again by the list of what differs', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const failed = scene.path('failed.txt')
  const flags = ['--source', bundle, '--failed', failed]
  const referrer = (await verify(scene, flags)).report.images.find(({source}) => source.includes('@sha256:'))
  const digest = referrer?.source.split('@')[1] ?? ''
  const url = `${scene.target.url}/v2/mirror/tool/manifests/${digest}`
  expect((await fetch(url, {method: 'DELETE'})).status).toBe(202)
  expect(statuses((await verify(scene, flags)).report)).toContain('differs')
  expect((await readFile(failed, 'utf8')).trim()).toBe(referrer?.source)
  const {code, stderr} = await scene.push(bundle, ['--images', failed])
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect((await verify(scene, flags)).code).toBe(0)
  expect(await readFile(failed, 'utf8')).toBe('# mirror: nothing failed\n')
})

test.each([
  ['answers 429 to everything', {type: 'status', status: 429, headers: {'retry-after': '0'}}],
  ['drops every connection', {type: 'reset-before'}],
] as const)('a repository that %s fails alone, and the others are verified', async (_what, fault) => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  scene.target.setFaults([{match: {path: /team/}, times: Infinity, fault}])
  const {code, report} = await verify(scene, ['--source', bundle, '--retries', '1'])
  expect({code, statuses: statuses(report)}).toEqual({code: 3, statuses: ['failed', 'verified', 'verified']})
  expect(report.images[0]?.error).toMatchObject({side: 'target'})
})

test('another image under the tag, and no image under it, are differences', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const other = await makeImage({seed: 'verify-other'})
  await addImage(scene.target, other, {repository: 'mirror/tool', tag: 'v2'})
  const elsewhere = await verify(scene, ['--source', bundle])
  expect({code: elsewhere.code, statuses: statuses(elsewhere.report)}).toEqual({
    code: 4,
    statuses: ['verified', 'differs', 'verified'],
  })
  expect(elsewhere.report.images[1]?.error).toMatchObject({
    code: 'DIGEST_MISMATCH',
    message: expect.stringContaining(other.root.descriptor.digest) as string,
  })
  const nowhere = await verify(scene, ['--source', bundle, '--map-host', 'keep'])
  expect({code: nowhere.code, statuses: statuses(nowhere.report)}).toEqual({
    code: 4,
    statuses: ['differs', 'differs', 'differs'],
  })
  expect(nowhere.report.images[0]?.error).toMatchObject({code: 'NOT_FOUND'})
})

test('images of a list are verified against the registries that have them', async () => {
  await using scene = await saveScene()
  const {list} = await pushed(scene)
  const {code, report, stderr} = await verify(scene, ['--images', list, '--source-plain-http'])
  expect({code, stderr, statuses: statuses(report)}).toMatchObject({
    code: 0,
    statuses: ['verified', 'verified', 'verified'],
  })
})

test('a bundle alone is read to its end, and a flipped bit in it is found', async () => {
  await using scene = await saveScene()
  const {bundle} = await pushed(scene)
  const run = async (path: string): Promise<Synced> =>
    withReport(await runMirror(['verify', '--json', '--source', path], {home: scene.directory}))
  const whole = await run(bundle)
  expect({code: whole.code, statuses: statuses(whole.report)}).toEqual({
    code: 0,
    statuses: ['verified', 'verified', 'verified'],
  })
  const names = whole.report.images.map(({source}) => source.replace(/@sha256:.*/, '@'))
  expect(names.toSorted()).toEqual(
    ['team/app:v1', 'tool:v2', 'tool@'].map((name) => `${scene.source.host}/${name}`),
  )
  const bytes = await readFile(bundle)
  // in the last blob: the end of the archive is two blocks of zeros and padding
  const last = bytes.findLastIndex((byte) => byte !== 0)
  bytes[last] = (bytes[last] ?? 0) ^ 1
  const damaged = scene.path('damaged.tar')
  await writeFile(damaged, bytes)
  const {code, report} = await run(damaged)
  expect(code).toBe(4)
  expect(statuses(report)).toContain('differs')
  expect(report.images.find(({status}) => status === 'differs')?.error).toMatchObject({
    code: 'DIGEST_MISMATCH',
  })
})

test('nothing to verify is wrong usage', async () => {
  const {code, stderr} = await runMirror(['verify'])
  expect({code, stderr}).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is nothing to verify') as string,
  })
})

test('images of a docker-archive are proved by config and diff IDs, since their digests could not survive', async () => {
  await using scene = await saveScene()
  const image = await makeImage({seed: 'verify-docker', layers: 2})
  const archive = scene.path('docker.tar')
  await writeFile(archive, await tarBytes(dockerArchive([{image, tags: ['gcr.io/team/old:v1']}])))
  expect((await scene.push(archive)).code).toBe(0)
  for (const flags of [[], ['--deep']]) {
    const {code, report} = await verify(scene, ['--source', archive, ...flags])
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['verified']})
    expect(report.images[0]?.digestChanged).toBe(true)
  }
})

test('a base layer of Windows that stays at its vendor is no difference, in the bundle nor at the registry', async () => {
  await using scene = await saveScene()
  const image = await makeImage({
    seed: 'verify-windows',
    format: 'docker',
    platforms: ['windows/amd64'],
    layers: 2,
  })
  const entries = dockerArchive([{image, tags: ['a.example/windows:v1']}])
  const bytesOf = (path: string): Uint8Array => {
    const entry = entries.find((one) => one.path === path)
    if (entry === undefined || !('bytes' in entry)) throw new Error(`the archive has no ${path}`)
    return entry.bytes
  }
  const list = 'manifest.json'
  const [item] = JSON.parse(Buffer.from(bytesOf(list)).toString()) as [{readonly Layers: [string, string]}]
  const [base] = item.Layers
  const foreign = {
    mediaType: mediaTypes.dockerForeignLayer,
    size: 5,
    digest: digestOf(Buffer.from('at its vendor')),
    urls: ['https://vendor.example/layer'],
  }
  const source = scene.path('windows.tar')
  const sources = {[digestOf(bytesOf(base))]: foreign}
  await writeFile(
    source,
    await tarBytes([
      ...entries.filter(({path}) => path !== base && path !== list),
      {path: list, bytes: Buffer.from(JSON.stringify([{...item, LayerSources: sources}]))},
    ]),
  )
  expect(await scene.push(source)).toMatchObject({code: 0})
  expect(await verify(scene, ['--source', source])).toMatchObject({code: 0})
  const alone = withReport(await runMirror(['verify', '--source', source, '--json'], {home: scene.directory}))
  expect({code: alone.code, statuses: statuses(alone.report)}).toEqual({code: 0, statuses: ['verified']})
})
