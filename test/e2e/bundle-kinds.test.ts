import {createHash} from 'node:crypto'
import {copyFile, mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {
  dockerArchive,
  lacksTool,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  startDebianRegistry,
  writeDirectory,
  type Entry,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {argv} from './argv.js'
import {named, parseReport, push, writeBundle, type PushResult} from './push.js'

let temp: TempDir
let registry: TestRegistry
beforeAll(async () => {
  temp = await makeTempDir()
  registry = await startRegistry()
})
afterAll(async () => {
  await registry.close()
  await temp.remove()
})

function at(name: string): string {
  return join(temp.path, name)
}
function statuses({report}: PushResult): readonly string[] {
  return report.images.map(({target, status}) => `${target.slice(target.indexOf('/') + 1)} ${status}`)
}

test('a layout whose blobs are links out of the directory is told so, with the way to copy it', async () => {
  const image = await makeImage({seed: 'linked'})
  await writeDirectory(at('store'), ociLayout([named('a.example/b:v1', image)]))
  await mkdir(at('linked/blobs'), {recursive: true})
  for (const name of ['index.json', 'oci-layout']) await copyFile(at(`store/${name}`), at(`linked/${name}`))
  await symlink('../../store/blobs/sha256', at('linked/blobs/sha256'))
  const {code, stderr} = await push({source: at('linked'), registry, namespace: 'linked'})
  expect(code).toBe(2)
  expect(stderr).toMatch(/is not in the bundle: blobs\/sha256 is a link that leads out of it/)
  expect(stderr).toMatch(
    /^hint: Copy the source with its links followed, as cp -rL, rsync -rL and tar -h do\.$/m,
  )
  expect(stderr).not.toMatch(/incomplete/)
})

test('a docker-archive with an image that lacks its config pushes the others, and ends with 3', async () => {
  const images = await Promise.all(['one', 'two'].map((seed) => makeImage({seed, format: 'docker'})))
  const entries = dockerArchive(images.map((image, index) => ({image, tags: [`a.example/${index}:v1`]})))
  const lost = entries.find(({path}) => path.endsWith('.json') && path !== 'manifest.json')
  const source = await writeBundle(
    at('lost.tar'),
    entries.filter((entry) => entry !== lost),
  )
  const result = await push({source, registry, namespace: 'lost'})
  expect([result.code, [...statuses(result)].sort()]).toEqual([3, ['lost/0:v1 failed', 'lost/1:v1 pushed']])
  expect(result.stderr).toContain(`the config ${lost?.path} of a.example/0:v1 is not there`)
})

test('images of several platforms under one name have --platform as their hint, which chooses one', async () => {
  const images = await Promise.all(
    ['linux/amd64', 'linux/arm64'].map((platform) => makeImage({seed: platform, platforms: [platform]})),
  )
  const singles = images.map(({platforms: [only]}) => only?.manifest)
  const entries: Entry[] = images.flatMap((image) =>
    ociLayout([named('a.example/b:v1', image)]).filter(({path}) => path.startsWith('blobs/')),
  )
  const index = singles.map((manifest) => ({
    ...manifest?.descriptor,
    annotations: {'io.containerd.image.name': 'a.example/b:v1'},
  }))
  const source = await writeBundle(at('platforms.tar'), [
    ...new Map(entries.map((entry) => [entry.path, entry])).values(),
    {path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}')},
    {path: 'index.json', bytes: Buffer.from(JSON.stringify({schemaVersion: 2, manifests: index}))},
  ])
  const first = await push({source, registry, namespace: 'platforms'})
  expect([first.code, first.report.images[0]?.error]).toMatchObject([
    2,
    {code: 'NAME_COLLISION', hint: 'Choose one with --platform OS/ARCH.'},
  ])
  const second = await push({source, registry, namespace: 'platforms', flags: ['--platform', 'linux/arm64']})
  expect([second.code, second.report.images[0]?.targetDigest]).toEqual([0, singles[1]?.descriptor.digest])
})

function blob(content: Buffer | string): Entry & {readonly digest: string; readonly size: number} {
  const bytes = Buffer.from(content)
  const hex = createHash('sha256').update(bytes).digest('hex')
  return {path: `blobs/sha256/${hex}`, bytes, digest: `sha256:${hex}`, size: bytes.length}
}

describe.skipIf(lacksTool('docker-registry'))('Debian’s docker-registry', () => {
  test('takes an index whose children are no manifests, and a sync of it asks nothing twice', async () => {
    await using from = await startDebianRegistry()
    await using to = await startDebianRegistry()
    const input = fileURLToPath(new URL('../inputs/buildkit-cache-index.tar', import.meta.url))
    const pushed = await push({source: input, registry: from})
    expect([pushed.code, statuses(pushed)]).toEqual([0, ['t/cache:v1 pushed']])
    await writeFile(at('list'), `${from.host}/t/cache:v1\n`)
    const synced = await runMirror(
      argv`sync --images ${at('list')} --private-registry ${to.host} --plain-http --source-plain-http --json --verbose`,
    )
    expect([synced.code, parseReport(synced).totals]).toMatchObject([0, {retries: 0, blobs: {uploaded: 2}}])
    expect(synced.stderr).not.toMatch(/GET \S+\/t\/cache\/manifests\/\S+ 404/)
  })

  test('stores an index with null for its list as it is, and refuses foreign layers by its policy', async () => {
    await using debian = await startDebianRegistry()
    const empty = blob(`{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":null}`)
    const config = blob('{"architecture":"amd64","os":"windows","rootfs":{"type":"layers","diff_ids":[]}}')
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest: `sha256:${'a'.repeat(64)}`,
      size: 10,
      urls: ['https://layers.example/a'],
    }
    const windows = blob(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: {mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.size},
        layers: [foreign],
      }),
    )
    const listed = [
      {mediaType: mediaTypes.ociIndex, of: empty, name: 'a.example/empty:v1'},
      {mediaType: mediaTypes.ociManifest, of: windows, name: 'a.example/windows:v1'},
    ].map(({mediaType, of, name}) => ({
      mediaType,
      digest: of.digest,
      size: of.size,
      annotations: {'io.containerd.image.name': name},
    }))
    const source = await writeBundle(at('refused.tar'), [
      empty,
      config,
      windows,
      {path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}')},
      {path: 'index.json', bytes: Buffer.from(JSON.stringify({schemaVersion: 2, manifests: listed}))},
    ])
    const result = await push({source, registry: debian})
    expect([result.code, statuses(result)]).toEqual([3, ['empty:v1 pushed', 'windows:v1 failed']])
    expect(result.report.images[0]?.targetDigest).toBe(empty.digest)
    expect(result.report.images[1]?.error).toMatchObject({
      code: 'MANIFEST_REJECTED',
      hint: expect.stringContaining('validation.manifests.urls.allow') as string,
    })
    // The 500 is the registry's verdict, so it is asked for once more, and not five times.
    expect(result.report.totals.retries).toBe(1)
  })
})
