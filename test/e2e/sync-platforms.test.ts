import {describe, expect, test} from 'vitest'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {makeImage, makeManifest, type TestImage} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {statuses, syncScene, type SyncScene} from './sync.js'

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'] as const

function indexAt(scene: SyncScene): {readonly manifests: readonly {readonly digest: string}[]} {
  return JSON.parse(
    Buffer.from(scene.target.manifest('mirror/team/multi', 'v1')?.bytes ?? '').toString(),
  ) as {
    manifests: {digest: string}[]
  }
}

describe.each(['oci', 'docker'] as const)('an image of three platforms (%s)', (format) => {
  const make = (): Promise<TestImage> => makeImage({seed: `multi-${format}`, platforms: PLATFORMS, format})

  test('comes with all of them, every digest as it was', async () => {
    await using scene = await syncScene()
    const image = await make()
    const list = await scene.list(await scene.add('team/multi:v1', image))
    const {code, stderr, report} = await scene.sync(argv`--images ${list}`)
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const {digest} = image.root.descriptor
    expect(report.images).toMatchObject([
      {status: 'pushed', sourceDigest: digest, targetDigest: digest, digestChanged: false},
    ])
    for (const {bytes, descriptor} of image.manifests)
      expect(scene.target.manifest('mirror/team/multi', descriptor.digest)?.bytes).toEqual(bytes)
    expect(faultsIn(scene.target)).toEqual([])
  })

  test('--platform writes an index cut down to what was chosen, and says that its digest changed', async () => {
    await using scene = await syncScene()
    const image = await make()
    const list = await scene.list(await scene.add('team/multi:v1', image))
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --platform linux/amd64 --platform linux/arm/v7`,
    )
    expect(code).toBe(0)
    expect(stderr).toMatch(/^another digest for 1 image: .*cut down/m)
    const chosen = [image.platforms[0], image.platforms[2]].map((one) => one?.manifest.descriptor.digest)
    expect(indexAt(scene).manifests.map(({digest}) => digest)).toEqual(chosen)
    expect(report.images).toMatchObject([
      {
        status: 'pushed',
        sourceDigest: image.root.descriptor.digest,
        targetDigest: scene.at('team/multi:v1'),
        digestChanged: true,
        reason: expect.stringContaining('cut down') as string,
      },
    ])
    expect(scene.at('team/multi:v1')).not.toBe(image.root.descriptor.digest)
    const left = image.platforms[1]?.manifest.descriptor.digest ?? ''
    expect(scene.target.manifest('mirror/team/multi', left)).toBeUndefined()
    expect(scene.source.requests.filter(({path}) => path.includes(left))).toEqual([])
    expect(faultsIn(scene.target)).toEqual([])
  })

  test('the platforms of a job file are chosen, unless --platform chooses others', async () => {
    await using scene = await syncScene()
    const image = await make()
    const name = await scene.add('team/multi:v1', image)
    const config = await scene.write(
      'mirror.yaml',
      `jobs:\n  - {name: one, targets: ${scene.target.host}/mirror, references: ['${name}'], platforms: [linux/arm64]}\n`,
    )
    const digests = image.platforms.map(({manifest}) => manifest.descriptor.digest)
    expect(await scene.sync(argv`--config ${config}`, {into: false})).toMatchObject({code: 0})
    expect(indexAt(scene).manifests.map(({digest}) => digest)).toEqual([digests[1]])
    const flags = argv`--config ${config} --platform linux/amd64 --force`
    expect(await scene.sync(flags, {into: false})).toMatchObject({code: 0})
    expect(indexAt(scene).manifests.map(({digest}) => digest)).toEqual([digests[0]])
  })

  test('--sparse-index as-is keeps the digest where the registry takes an index that lacks something', async () => {
    await using scene = await syncScene({target: {missingContent: 'allow-index', strict: false}})
    const image = await make()
    const list = await scene.list(await scene.add('team/multi:v1', image))
    const flags = argv`--images ${list} --platform linux/arm64 --sparse-index as-is`
    const {code, report} = await scene.sync(flags)
    expect(code).toBe(0)
    expect(report.images).toMatchObject([{status: 'pushed', digestChanged: false}])
    expect(scene.at('team/multi:v1')).toBe(image.root.descriptor.digest)
    const there = image.platforms.map(({manifest: {descriptor}}) =>
      scene.target.manifest('mirror/team/multi', descriptor.digest),
    )
    expect(there.map((manifest) => manifest !== undefined)).toEqual([false, true, false])
  })

  test('--sparse-index as-is fails where the registry does not, and says what to do', async () => {
    await using scene = await syncScene({target: {strict: false}})
    const list = await scene.list(
      await scene.add('team/multi:v1', await make()),
      await scene.add('team/single:v1'),
    )
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --platform linux/amd64 --sparse-index as-is`,
    )
    expect(code).toBe(3)
    expect(statuses(report)).toEqual(['failed', 'pushed'])
    expect(stderr).toMatch(/^error: target: .*team\/multi:v1/m)
  })

  test('--sparse-index platform puts the one manifest under the tag', async () => {
    await using scene = await syncScene()
    const image = await make()
    const list = await scene.list(await scene.add('team/multi:v1', image))
    const {code, report} = await scene.sync(
      argv`--images ${list} --platform linux/arm64 --sparse-index platform`,
    )
    expect(code).toBe(0)
    expect(scene.at('team/multi:v1')).toBe(image.platforms[1]?.manifest.descriptor.digest)
    expect(report.images).toMatchObject([{digestChanged: true}])
  })
})

test('a platform that the image does not have fails it, naming what it has; the others are done', async () => {
  await using scene = await syncScene()
  const arm = await makeImage({seed: 'arm', platforms: ['linux/arm64', 'linux/arm/v7']})
  const list = await scene.list(await scene.add('team/arm:v1', arm), await scene.add('team/amd:v1'))
  const {code, stderr, report} = await scene.sync(argv`--images ${list} --platform linux/amd64`)
  expect(code).toBe(3)
  expect(statuses(report)).toEqual(['failed', 'pushed'])
  expect(stderr).toMatch(/^error: .*team\/arm:v1.*linux\/amd64/m)
})

test('a chart is for every platform; the + of its version is _ in its tag', async () => {
  await using scene = await syncScene()
  const config = Buffer.from('{"name":"chart","version":"1.0.0+up2"}')
  const chart = Buffer.from('the bytes of a chart')
  const described = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  for (const bytes of [config, chart]) await scene.source.addBlob('charts/app', bytes)
  const {bytes, descriptor} = makeManifest(
    {
      schemaVersion: 2,
      config: described(config, 'application/vnd.cncf.helm.config.v1+json'),
      layers: [described(chart, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')],
    },
    {mediaType: mediaTypes.ociManifest},
  )
  const place = {repository: 'charts/app', reference: '1.0.0_up2', mediaType: mediaTypes.ociManifest}
  scene.source.addManifest({...place, bytes})
  const list = await scene.list(`${scene.source.host}/charts/app:1.0.0+up2`)
  const {code, stderr} = await scene.sync(argv`--images ${list} --platform linux/amd64`)
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(scene.at('charts/app:1.0.0_up2')).toBe(descriptor.digest)
})

test('attestations inside an index of BuildKit stay with it', async () => {
  await using scene = await syncScene()
  const image = await makeImage({seed: 'buildkit', platforms: ['linux/amd64', 'unknown/unknown']})
  expect(image.root.descriptor.mediaType).toBe(mediaTypes.ociIndex)
  const list = await scene.list(await scene.add('team/buildkit:v1', image))
  expect(await scene.sync(argv`--images ${list}`)).toMatchObject({code: 0})
  expect(scene.at('team/buildkit:v1')).toBe(image.root.descriptor.digest)
  const bytes = scene.target.manifest('mirror/team/buildkit', 'v1')?.bytes ?? new Uint8Array()
  expect(digestOf(bytes)).toBe(image.root.descriptor.digest)
})
