import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {openBundle} from '@airgap-mirror/bundle'
import {openRegistry} from '@airgap-mirror/oci-client'
import {digestOf, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import {
  dockerArchive,
  makeImage,
  makeLayers,
  makeTempDir,
  tarBytes,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {KnownLayers} from '#src/engine/known-layers.js'
import {mirror} from '#src/engine/mirror.js'
import {sourcePairs} from '#src/engine/source-pairs.js'
import type {MirrorResult} from '#src/engine/tally.js'

let directory: TempDir
let served: TestRegistry
let known: Map<Digest, Descriptor>

beforeEach(async () => {
  directory = await makeTempDir()
  served = await startRegistry({strict: true})
  known = new Map()
})
afterEach(async () => {
  await served.close()
  await directory.remove()
})

const layers: KnownLayers = {
  find: async ({diffId}) => known.get(diffId),
  note: async ({diffId}, final) => void known.set(diffId, final),
  forget: async ({diffId}) => void known.delete(diffId),
}

/** Pushes a docker-archive of one image, whose layers are plain. */
async function pushImage(
  image: TestImage,
  {dryRun = false, repository = 'app'}: {readonly dryRun?: boolean; readonly repository?: string} = {},
): Promise<MirrorResult> {
  const path = join(directory.path, 'bundle.tar')
  await writeFile(path, await tarBytes(dockerArchive([{image, tags: [`gcr.io/team/${repository}:v1`]}])))
  await using source = await openBundle(path)
  await using sink = openRegistry({registry: served.host, side: 'target', plainHttp: true})
  const {signal} = new AbortController()
  const stop = {soon: signal, now: signal}
  const pairs = await sourcePairs(source, {
    rules: {
      registry: served.host,
      namespace: '',
      mapHost: 'drop',
      rewrites: [],
      map: new Map(),
      maxDepth: undefined,
    },
    choice: {include: [], exclude: [], referrers: true},
    platforms: [],
  })
  return await mirror([{sink, registry: served.host, pairs}], {
    source,
    sparse: 'auto',
    concurrency: 4,
    failFast: false,
    dryRun,
    layers,
    onEvent: () => {},
    stop,
  })
}

function digestsOf(): readonly Digest[] {
  return [...known.values()].map(({digest}) => digest)
}

describe('a plain layer', () => {
  it('is known by its final digest before the registry was asked to keep it', async () => {
    const image = await makeImage({seed: 'one', layers: 2})
    served.setFaults([{match: {kind: 'commit'}, times: Infinity, fault: {type: 'status', status: 403}}])
    const {images} = await pushImage(image)
    expect(images.map(({status}) => status)).toEqual(['failed'])
    expect(known.size).toBe(2)
  })

  it('that an earlier run has brought is asked for and not sent again, though its image is another now', async () => {
    const base = await makeLayers({seed: 'base', layers: 2})
    await pushImage(await makeImage({seed: 'one', layers: 1, base}))
    const before = digestsOf()
    served.clearLog()

    const {images, blobs} = await pushImage(await makeImage({seed: 'two', layers: 1, base}))

    expect(images.map(({status}) => status)).toEqual(['pushed'])
    expect(blobs).toEqual({uploaded: 2, mounted: 0, present: 2})
    expect(served.commits.map(({digest}) => digest).filter((digest) => before.includes(digest))).toEqual([])
    expect(served.fsck()).toEqual([])
    expect(served.violations).toEqual([])
  })

  it('that is known and not there is compressed and sent', async () => {
    const image = await makeImage({seed: 'one', layers: 2})
    await pushImage(image)
    const {blobs} = await pushImage(image, {repository: 'elsewhere'})
    expect(blobs.uploaded).toBeGreaterThan(0)
    expect(served.manifest('team/elsewhere', 'v1')?.digest).toBe(served.manifest('team/app', 'v1')?.digest)
  })

  it('that comes out otherwise than it is said to is forgotten, and sent as what it is', async () => {
    const image = await makeImage({seed: 'one', layers: 3})
    await pushImage(image)
    const before = [...known]
    const [first, second, third] = before
    const lie = {digest: digestOf(Buffer.from('a lie'))}
    if (first !== undefined) known.set(first[0], {...first[1], ...lie})
    if (second !== undefined) known.set(second[0], {...second[1], size: second[1].size - 1})
    if (third !== undefined) known.set(third[0], {...third[1], size: third[1].size + 1})
    const right = served.manifest('team/app', 'v1')?.digest

    const {images} = await pushImage(image, {repository: 'elsewhere'})

    expect(images.map(({status}) => status)).toEqual(['pushed'])
    expect(served.manifest('team/elsewhere', 'v1')?.digest).toBe(right)
    expect(new Map(known)).toEqual(new Map(before))
    expect(served.fsck()).toEqual([])
  })

  it('that is known is not counted as to be sent where it is there', async () => {
    const base = await makeLayers({seed: 'base', layers: 2})
    await pushImage(await makeImage({seed: 'one', layers: 1, base}))
    const two = await makeImage({seed: 'two', layers: 1, base})
    const own = two.blobs.filter(({descriptor}) => !base.some((one) => one.descriptor === descriptor))
    const {bytes} = await pushImage(two, {dryRun: true})
    const [config, layer] = own.map((blob) => ('plain' in blob ? blob.plain : blob.bytes) as Uint8Array)
    expect(bytes.toSend).toBe((config?.length ?? 0) + (layer?.length ?? 0))
  })
})
