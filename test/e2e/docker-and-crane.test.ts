import {createHash} from 'node:crypto'
import {gunzipSync} from 'node:zlib'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  craneLayout,
  craneLegacy,
  craneTarball,
  dockerSave,
  dockerSaveByContainerd,
  makeImage,
  runMirror,
  tarBytes,
  withTempDir,
  writeDirectory,
  type Entry,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {faultsIn, parseReport, type ReadReport} from './push.js'

const alpine = {registry: 'docker.io', repository: 'library/alpine', tag: '3'}
const tool = {registry: 'reg.example:5000', repository: 'team/tool', tag: 'v1'}
const ALPINE = 'docker.io/library/alpine:3'
const TOOL = 'reg.example:5000/team/tool:v1'

interface Inspection {
  readonly bundle: {readonly producer?: string; readonly format: string}
  readonly images: readonly {readonly name: string; readonly status: string}[]
  readonly unused: readonly {readonly path: string; readonly reason: string}[]
}

interface Outcome {
  readonly pushed: ReadReport
  readonly verified: ReadReport
  readonly inspection: Inspection
}

/** Expects both images to be verified, at the registry with the right layers, and listed by inspect. */
async function expectBoth(
  {verified, inspection}: Pick<Outcome, 'verified' | 'inspection'>,
  {
    registry,
    images: [one, two],
  }: {readonly registry: TestRegistry; readonly images: readonly [TestImage, TestImage]},
): Promise<void> {
  expect(verified.images.map(({status}) => status)).toEqual(['verified', 'verified'])
  expect(faultsIn(registry)).toEqual([])
  expect(await diffIdsAt(registry, 'library/alpine', '3')).toEqual(diffIdsOf(one))
  expect(await diffIdsAt(registry, 'team/tool', 'v1')).toEqual(diffIdsOf(two))
  expect(inspection.images.map(({name, status}) => [name, status])).toEqual([
    [ALPINE, 'ok'],
    [TOOL, 'ok'],
  ])
}

/** Pushes, verifies and inspects what a tool wrote. */
async function tried(
  entries: readonly Entry[],
  registry: TestRegistry,
  {
    as = 'tar',
    compression,
    flags = [],
  }: {
    readonly as?: 'tar' | 'directory'
    readonly compression?: 'none'
    readonly flags?: readonly string[]
  } = {},
): Promise<Outcome> {
  return withTempDir(async (home) => {
    const path = join(home, 'bundle')
    if (as === 'tar') await writeFile(path, await tarBytes(entries))
    else await writeDirectory(path, entries)
    const target = argv`--source ${path} --private-registry ${registry.host} --plain-http --json ${flags}`
    const packed = compression === undefined ? [] : ['--layer-compression', compression]
    const pushed = parseReport(await runMirror(['push', ...target, ...packed], {home}))
    const verified = parseReport(await runMirror(['verify', ...target, '--deep'], {home}))
    const {stdout} = await runMirror(['inspect', path, '--json'], {home})
    return {pushed, verified, inspection: JSON.parse(stdout) as Inspection}
  })
}

/** Diff IDs of the layers that a registry has for an image, in the order of its manifest. */
async function diffIdsAt(
  registry: TestRegistry,
  repository: string,
  reference: string,
): Promise<readonly string[]> {
  const manifest = registry.manifest(repository, reference)
  const {layers} = JSON.parse(Buffer.from(manifest?.bytes ?? '{}').toString()) as {
    layers: {digest: `sha256:${string}`; mediaType: string}[]
  }
  return Promise.all(
    layers.map(async ({digest, mediaType}) => {
      const bytes = (await registry.blob(repository, digest)) ?? Buffer.alloc(0)
      const plain = mediaType.endsWith('gzip') ? gunzipSync(bytes) : bytes
      return `sha256:${createHash('sha256').update(plain).digest('hex')}`
    }),
  )
}

function diffIdsOf({platforms: [platform]}: TestImage): readonly string[] {
  return platform?.layers.map(({diffId}) => diffId) ?? []
}

test.each(['25.0.0-rc', '25.0.0', '28'] as const)(
  'Images of docker save %s arrive with all of their layers, in the order of their configs',
  async (version) => {
    const one = await makeImage({seed: 'docker-one', layers: 3})
    const two = await makeImage({seed: 'docker-two', layers: 2})
    const entries = dockerSave(
      [
        {image: one, name: alpine},
        {image: two, name: tool},
      ],
      {version},
    )
    for (const compression of [undefined, 'none'] as const) {
      await using registry = await startRegistry({strict: true})
      const {pushed, verified, inspection} = await tried(entries, registry, {compression})
      expect(pushed.images.map(({source, status, digestChanged}) => [source, status, digestChanged])).toEqual(
        [
          [ALPINE, 'pushed', true],
          [TOOL, 'pushed', true],
        ],
      )
      await expectBoth({verified, inspection}, {registry, images: [one, two]})
      // The release candidate leaves no trace that containerd does not leave.
      expect(inspection.bundle.producer).toBe(version === '25.0.0-rc' ? 'containerd' : 'docker')
      if (version === '25.0.0-rc') continue
      expect(new Set(inspection.unused.map(({reason}) => reason))).toEqual(
        new Set(['no image needs it; docker describes each layer in such a file, for versions before 1.10']),
      )
    }
  },
)

test.each(['25.0.0', '28'] as const)(
  'Images that docker save %s wrote by their IDs are all there, though its index lists few of them',
  async (version) => {
    const images = await Promise.all(
      ['a', 'b', 'c'].map((seed) => makeImage({seed: `docker-by-id-${seed}`, layers: 1})),
    )
    const [one, two, three] = images
    if (one === undefined || two === undefined || three === undefined) throw new Error('no images')
    const map = images.map(
      ({platforms: [platform]}, index) => `${platform?.config.descriptor.digest} id:${index}`,
    )
    for (const name of [undefined, alpine]) {
      const entries = dockerSave(
        [name === undefined ? {image: one} : {image: one, name}, {image: two}, {image: three}],
        {version},
      )
      await withTempDir(async (home) => {
        await using registry = await startRegistry({strict: true})
        await writeFile(join(home, 'map.txt'), `${map.slice(name === undefined ? 0 : 1).join('\n')}\n`)
        const flags = ['--map', join(home, 'map.txt')]
        const {pushed, verified, inspection} = await tried(entries, registry, {flags})
        expect(pushed.images.map(({status}) => status)).toEqual(['pushed', 'pushed', 'pushed'])
        expect(verified.images.map(({status}) => status)).toEqual(['verified', 'verified', 'verified'])
        expect(faultsIn(registry)).toEqual([])
        expect(inspection.images.map(({status}) => status)).toEqual(['ok', 'ok', 'ok'])
      })
    }
  },
)

test.each([
  ['all platforms', 2],
  ['the platform of the daemon', 1],
])('docker save with the containerd store keeps digests and attestations, with %s', async (_what, count) => {
  const image = await makeImage({seed: 'docker-containerd', platforms: ['linux/amd64', 'linux/arm64']})
  const {root, attestation, entries} = dockerSaveByContainerd(
    {image, name: alpine},
    {kept: image.platforms.slice(0, count)},
  )
  await using registry = await startRegistry({missingContent: 'allow-index'})
  const {pushed, verified, inspection} = await tried(entries, registry)
  expect(pushed.images).toMatchObject([
    {status: 'pushed', targetDigest: root.descriptor.digest, digestChanged: false},
  ])
  expect(verified.images).toMatchObject([{status: 'verified'}])
  expect(registry.manifest('library/alpine', attestation)).toBeDefined()
  expect(inspection).toMatchObject({
    bundle: {producer: 'containerd'},
    images: [{name: ALPINE, status: 'ok'}],
    unused: [],
  })
})

test.each([
  ['tarball', craneTarball],
  ['legacy', craneLegacy],
])('crane pull --format=%s keeps names and layers', async (_format, write) => {
  const one = await makeImage({seed: 'crane-one', layers: 2})
  const two = await makeImage({seed: 'crane-two', layers: 2, base: one.platforms[0]?.layers ?? []})
  await using registry = await startRegistry({strict: true})
  const {pushed, verified, inspection} = await tried(
    write([
      {image: one, name: alpine},
      {image: two, name: tool},
    ]),
    registry,
  )
  expect(pushed.images.map(({source, status}) => [source, status])).toEqual([
    [ALPINE, 'pushed'],
    [TOOL, 'pushed'],
  ])
  await expectBoth({verified, inspection}, {registry, images: [one, two]})
  expect(inspection.unused).toEqual([])
})

test('crane pull --format=oci keeps digests, and names if it was called with --annotate-ref', async () => {
  const one = await makeImage({seed: 'crane-oci', platforms: ['linux/amd64', 'linux/arm64']})
  await using registry = await startRegistry({strict: true})
  const annotated = craneLayout([{image: one, name: alpine}], {annotateRef: true})
  const {pushed, verified} = await tried(annotated, registry, {as: 'directory'})
  expect(pushed.images).toMatchObject([
    {source: ALPINE, status: 'pushed', targetDigest: one.root.descriptor.digest, digestChanged: false},
  ])
  expect(verified.images).toMatchObject([{status: 'verified'}])
  const nameless = craneLayout([{image: one, name: alpine}], {annotateRef: false})
  const {pushed: refused} = await tried(nameless, registry, {as: 'directory'})
  expect(refused).toMatchObject({exitCode: 2, error: {code: 'NAME_MISSING'}})
})
