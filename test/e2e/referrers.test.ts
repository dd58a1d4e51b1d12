import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  makeImage,
  makeManifest,
  makeTempDir,
  ociLayout,
  runMirror,
  writeTar,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {cosignKeys, cosignSignature, cosignTag} from './cosign.js'
import {faultsIn, named, push, writeOciBundle} from './push.js'

describe('what speaks of an image', () => {
  let directory: TempDir
  let source: string
  let app: TestImage
  let sbom: TestImage
  let signature: TestImage
  let attestation: TestImage

  beforeAll(async () => {
    directory = await makeTempDir()
    app = await makeImage({seed: 'app', layers: 1})
    const other = await makeImage({seed: 'other', layers: 1})
    sbom = await makeImage({
      seed: 'sbom',
      layers: 1,
      subject: app.root.descriptor,
      artifactType: 'application/spdx+json',
    })
    attestation = await makeImage({
      seed: 'attestation',
      layers: 1,
      subject: sbom.root.descriptor,
      artifactType: 'a/b',
    })
    signature = await makeImage({seed: 'signature', layers: 1})
    const tag = `sha256-${app.root.descriptor.digest.slice('sha256:'.length)}.sig`
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', app),
      named('gcr.io/team/other:v1', other),
      named(`gcr.io/team/app:${tag}`, signature),
      {image: sbom},
      {image: attestation},
    ])
  })
  afterAll(() => directory.remove())

  /** As cosign tags, and as the fallback of registries without the referrers API does. */
  const tagFor = ({root}: TestImage, suffix = ''): string =>
    `sha256-${root.descriptor.digest.slice('sha256:'.length)}${suffix}`
  const isThere = (registry: TestRegistry, image: TestImage): boolean =>
    registry.manifest('team/app', image.root.descriptor.digest) !== undefined
  const everything = (registry: TestRegistry): readonly boolean[] =>
    [app, sbom, attestation, signature].map((image) => isThere(registry, image))

  test('travels along in a layout of tags alone, as regctl makes it, where its image is named', async () => {
    const refName = (tag: string) => ({annotations: {'org.opencontainers.image.ref.name': tag}})
    const index = makeManifest(
      {schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [sbom.root.descriptor]},
      {mediaType: mediaTypes.ociIndex},
    )
    const list: TestImage = {
      root: index,
      platforms: sbom.platforms,
      manifests: [...sbom.manifests, index],
      blobs: sbom.blobs,
    }
    const bundle = join(directory.path, 'tags.tar')
    await writeTar(
      bundle,
      ociLayout([
        {image: app, ...refName('v1')},
        {image: signature, ...refName(tagFor(app, '.sig'))},
        {image: list, ...refName(tagFor(app))},
      ]),
    )
    const map = join(directory.path, 'tags.txt')
    await writeFile(map, 'v1 team/app:v1\n')
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({source: bundle, registry, flags: argv`--map ${map}`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect([app, sbom, signature].map((image) => isThere(registry, image))).toEqual([true, true, true])
    expect(registry.tags('team/app').toSorted()).toEqual([tagFor(app, '.sig'), 'v1'])
    const verified = await runMirror(
      argv`verify --source ${bundle} --private-registry ${registry.host} --plain-http --map ${map}`,
    )
    expect(verified).toMatchObject({code: 0})
  })

  test('travels along with a chosen image if it has a name by digest, as in the layout of mirror serve --writable', async () => {
    const bundle = join(directory.path, 'by-digest.tar')
    const byDigest = (repository: string): string =>
      `gcr.io/team/${repository}@${sbom.root.descriptor.digest}`
    await writeTar(
      bundle,
      ociLayout([
        named('gcr.io/team/app:v1', app),
        named(byDigest('app'), sbom),
        named('gcr.io/team/copy:v1', app),
        named(byDigest('copy'), sbom),
      ]),
    )
    await using registry = await startRegistry({strict: true})
    const {code} = await push({source: bundle, registry, flags: argv`--include gcr.io/team/app:v1`})
    expect({code, repositories: registry.repositories()}).toEqual({code: 0, repositories: ['team/app']})
    expect([app, sbom].map((image) => isThere(registry, image))).toEqual([true, true])
  })

  test('travels along: referrers by digest, cosign signatures by tag', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(everything(registry)).toEqual([true, true, true, true])
    expect(registry.tags('team/app').toSorted()).toEqual([tagFor(app, '.sig'), 'v1'])
    expect(registry.tags('team/other')).toEqual(['v1'])
    expect(faultsIn(registry)).toEqual([])
  })

  test('is listed under the fallback tag where the registry has no referrers API', async () => {
    await using registry = await startRegistry({strict: true, referrers: false})
    const {code, stderr} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(everything(registry)).toEqual([true, true, true, true])
    const tags = [tagFor(app), tagFor(app, '.sig'), tagFor(sbom), 'v1']
    expect(registry.tags('team/app').toSorted()).toEqual(tags.toSorted())
    const list: unknown = JSON.parse(
      Buffer.from(registry.manifest('team/app', tagFor(app))?.bytes ?? '').toString(),
    )
    expect(list).toMatchObject({
      manifests: [{digest: sbom.root.descriptor.digest, artifactType: 'application/spdx+json'}],
    })
    expect(faultsIn(registry)).toEqual([])
  })

  test('comes with its image when that is chosen, and not with another', async () => {
    await using registry = await startRegistry({strict: true})
    await push({source, registry, flags: argv`--include **/other:*`})
    expect(registry.repositories()).toEqual(['team/other'])
    const {code} = await push({source, registry, flags: argv`--include **/app:v1`})
    expect(code).toBe(0)
    expect([sbom, attestation, signature].map((image) => isThere(registry, image))).toEqual([
      true,
      true,
      true,
    ])
  })

  test('follows its image to the name that --map gives', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, report} = await push({
      source,
      registry,
      flags: ['--rewrite', 'team/app=crew/application'],
    })
    expect(code).toBe(0)
    expect(registry.manifest('crew/application', sbom.root.descriptor.digest)).toBeDefined()
    expect(registry.tags('crew/application')).toContain(tagFor(app, '.sig'))
    expect(report.images.filter(({target}) => target.includes('@'))).toHaveLength(2)
  })

  test('stays behind with --no-referrers', async () => {
    await using registry = await startRegistry({strict: true})
    const {code} = await push({source, registry, flags: argv`--no-referrers`})
    expect(code).toBe(0)
    expect(registry.tags('team/app')).toEqual(['v1'])
    expect([sbom, attestation, signature].map((image) => isThere(registry, image))).toEqual([
      false,
      false,
      false,
    ])
  })
})

test('a signature of cosign, which names no platform, goes where its image goes by a choice of platforms', async () => {
  await using directory = await makeTempDir()
  await using registry = await startRegistry({strict: true})
  const {privateKey} = cosignKeys()
  const images = await Promise.all(
    ['linux', 'windows'].map(async (os) => {
      const image = await makeImage({seed: `signed-${os}`, layers: 1, platforms: [`${os}/amd64`]})
      const [platform] = image.platforms
      if (platform === undefined) throw new Error('no platform')
      const only = {...image, root: platform.manifest, manifests: [platform.manifest]}
      const {digest} = platform.manifest.descriptor
      const tag = cosignTag(digest)
      return {os, only, tag, signature: cosignSignature(digest, {name: os, privateKey})}
    }),
  )
  const source = await writeOciBundle(
    directory.path,
    images.flatMap(({os, only, tag, signature}) => [
      named(`gcr.io/team/${os}:v1`, only),
      named(`gcr.io/team/${os}:${tag}`, signature),
    ]),
  )
  const {code, stderr} = await push({source, registry, flags: argv`--platform linux/amd64`})
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(registry.tags('team/linux').toSorted()).toEqual([images[0]?.tag, 'v1'])
  expect(registry.repositories()).toEqual(['team/linux'])
  const left = `gcr.io/team/windows:v1, gcr.io/team/windows:${images[1]?.tag}`
  expect(stderr).toContain(`warning: left out, since there is nothing for linux/amd64: ${left}`)
})

test('foreign layers stay where their URLs say: they are not missing, and the manifest is pushed as it is', async () => {
  await using directory = await makeTempDir()
  await using registry = await startRegistry({strict: true})
  const base = await makeImage({seed: 'windows', platforms: ['windows/amd64'], layers: 1})
  const [platform] = base.platforms
  if (platform === undefined) throw new Error('no platform')
  const foreign = {
    mediaType: `${mediaTypes.dockerForeignLayer}.gzip`,
    digest: `sha256:${'f'.repeat(64)}`,
    size: 1_000_000_000,
    urls: ['https://example.com/windows/layer'],
  }
  const manifest = makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: {...platform.config.descriptor, mediaType: mediaTypes.dockerConfig},
      layers: [
        foreign,
        ...platform.layers.map(({descriptor}) => ({...descriptor, mediaType: mediaTypes.dockerLayerGzip})),
      ],
    },
    {mediaType: mediaTypes.dockerManifest},
  )
  const image = {...base, root: manifest, manifests: [manifest], platforms: [{...platform, manifest}]}
  const source = await writeOciBundle(directory.path, [named('gcr.io/team/windows:v1', image)])
  const {code, stderr} = await push({source, registry})
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(registry.manifest('team/windows', 'v1')?.digest).toBe(manifest.descriptor.digest)
  expect(faultsIn(registry)).toEqual([])
})
