import {generateKeyPairSync, sign, verify} from 'node:crypto'
import {describe, expect, it} from 'vitest'
import type {Registry, RegistrySource} from '#src/index.js'
import {
  digestOf,
  hexOf,
  mediaTypes,
  parseReference,
  type Descriptor,
  type Digest,
  type SourceImage,
} from '#src/model/index.js'
import {addImage, makeImage, makeManifest, startScripted, type TestImage} from '../../../test/kit/index.js'
import type {RegistryOptions, TestRegistry} from '../../../test/registry/index.js'
import {kinds} from './registry-kit.js'
import {collect, copyImage, rootOf, useSources} from './source-kit.js'

const {serve, open, sink} = useSources()

const keys = generateKeyPairSync('ec', {namedCurve: 'prime256v1'})

/** Returns a manifest as cosign stores it: its layer is the payload, an annotation is the signature over it. */
async function signatureOf(
  digest: Digest,
  subject?: Descriptor,
): Promise<{readonly payload: Buffer; readonly config: Buffer; readonly manifest: Buffer}> {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: {'docker-reference': 'registry.example/app'},
        image: {'docker-manifest-digest': digest},
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  )
  const config = Buffer.from(
    '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}',
  )
  const signature = sign('sha256', payload, keys.privateKey).toString('base64')
  const described = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const layer = {
    ...described('application/vnd.dev.cosign.simplesigning.v1+json', payload),
    annotations: {'dev.cosignproject.cosign/signature': signature},
  }
  const {bytes} = makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: described(mediaTypes.ociConfig, config),
      layers: [layer],
      subject,
    },
    {mediaType: mediaTypes.ociManifest},
  )
  return {payload, config, manifest: Buffer.from(bytes)}
}

/** Signs what is in a registry, under cosign's tag or as a referrer. */
async function signIn(
  registry: TestRegistry,
  given: {readonly repository: string; readonly of: Descriptor; readonly as: 'tag' | 'referrer'},
): Promise<Digest> {
  const {repository, of, as} = given
  const {mediaType, digest, size} = of
  const {payload, config, manifest} = await signatureOf(
    digest,
    as === 'referrer' ? {mediaType, digest, size} : undefined,
  )
  for (const blob of [payload, config]) await registry.addBlob(repository, blob)
  const reference = as === 'tag' ? `sha256-${hexOf(digest)}.sig` : digestOf(manifest)
  return registry.addManifest({repository, reference, mediaType: mediaTypes.ociManifest, bytes: manifest})
}

function multi(seed: string): Promise<TestImage> {
  return makeImage({seed, platforms: ['linux/amd64', 'linux/arm64']})
}

async function signed(
  options: RegistryOptions,
  given: {readonly as: 'tag' | 'referrer'} = {as: 'tag'},
): Promise<{
  readonly registry: TestRegistry
  readonly image: TestImage
  readonly signatures: readonly Digest[]
}> {
  const registry = await serve(options)
  const image = await multi('signed')
  await addImage(registry, image, {repository: 'app', tag: 'v1'})
  const signatures: Digest[] = []
  for (const {descriptor} of image.manifests)
    signatures.push(await signIn(registry, {repository: 'app', of: descriptor, ...given}))
  return {registry, image, signatures}
}

async function only(source: RegistrySource): Promise<SourceImage> {
  const [image] = await source.images()
  if (image === undefined) throw new Error('no image')
  return image
}

function digestsOf(images: readonly SourceImage[]): readonly Digest[] {
  return images.map((image) => rootOf(image).digest).toSorted()
}

describe('what refers to an image', () => {
  it('is found by the referrers API, for the index and for each of its children', async () => {
    const {registry, image, signatures} = await signed({}, {as: 'referrer'})
    const source = open([`${registry.host}/app:v1`])
    const found = await source.referrersOf(await only(source))
    expect(digestsOf(found)).toEqual(signatures.toSorted())
    expect(new Set(found.map(({subject}) => subject))).toEqual(
      new Set(image.manifests.map(({descriptor}) => descriptor.digest)),
    )
    expect(found.every(({name}) => name === undefined)).toBe(true)
  })

  it('is found by cosign’s tags, which are its names', async () => {
    const {registry, image, signatures} = await signed({})
    const source = open([`${registry.host}/app:v1`])
    const found = await source.referrersOf(await only(source))
    expect(digestsOf(found)).toEqual(signatures.toSorted())
    expect(new Set(found.map(({name}) => name?.tag))).toEqual(
      new Set(image.manifests.map(({descriptor: {digest}}) => `sha256-${hexOf(digest)}.sig`)),
    )
  })

  it('is found by the tag schema where the registry has no API', async () => {
    const from = await serve({referrers: false})
    const image = await makeImage({seed: 'schema'})
    await addImage(from, image, {repository: 'app', tag: 'v1'})
    const {mediaType, digest, size} = image.root.descriptor
    const {payload, config, manifest} = await signatureOf(digest, {mediaType, digest, size})
    for (const blob of [payload, config]) await from.addBlob('app', blob)
    const bytes = Uint8Array.from(manifest)
    const descriptor = {mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length}
    const stored = {kind: 'image', descriptor, bytes, subject: {mediaType, digest, size}} as const
    const pushed = {...stored, config: descriptor, layers: []}
    await sink(from.host).putManifest(parseReference(`${from.host}/app@${descriptor.digest}`), pushed)
    expect(from.tags('app')).toContain(`sha256-${hexOf(digest)}`)
    const source = open([`${from.host}/app:v1`])
    const found = await source.referrersOf(await only(source))
    expect(digestsOf(found)).toEqual([descriptor.digest])
    expect(found[0]?.subject).toBe(digest)
  })

  it('is followed to what refers to that in turn', async () => {
    const {registry, signatures} = await signed({}, {as: 'referrer'})
    const [first = digestOf(Buffer.from(''))] = signatures
    const stored = registry.manifest('app', first)
    const of = {mediaType: mediaTypes.ociManifest, digest: first, size: stored?.bytes.length ?? 0}
    const second = await signIn(registry, {repository: 'app', of, as: 'referrer'})
    const third = await signIn(registry, {repository: 'app', of, as: 'tag'})
    const source = open([`${registry.host}/app:v1`])
    const found = await source.referrersOf(await only(source))
    expect(digestsOf(found)).toEqual([...signatures, second, third].toSorted())
  })

  it('is asked for by name where the tags cannot be listed', async () => {
    const denied = {
      match: {kind: 'tags' as const},
      times: Infinity,
      fault: {type: 'status' as const, status: 403},
    }
    const {registry, signatures} = await signed({faults: [denied], referrers: false})
    const source = open([`${registry.host}/app:v1`])
    expect(digestsOf(await source.referrersOf(await only(source)))).toEqual(signatures.toSorted())
  })

  it('is asked for by name where there are too many tags, and where a mirror lists what it has', async () => {
    const {registry, signatures, image} = await signed({maxPage: 1})
    for (const tag of ['0', '00', '000']) await addImage(registry, image, {repository: 'app', tag})
    const source = open([`${registry.host}/app:v1`])
    expect(digestsOf(await source.referrersOf(await only(source)))).toEqual(signatures.toSorted())
    registry.clearLog()
    const mirrored = open(['registry.example/app:v1'], {
      mirrors: () => [parseReference(`${registry.host}/app:v1`)],
    })
    const found = await mirrored.referrersOf(await only(mirrored))
    expect(digestsOf(found)).toEqual(signatures.toSorted())
    expect(found.map(({name}) => name?.registry)).toEqual(signatures.map(() => 'registry.example'))
    expect(kinds(registry)).not.toContain('tags')
  })

  it('costs one list a repository, and one question a digest where there is an API', async () => {
    const {registry} = await signed({referrers: false})
    const image = await multi('unsigned')
    for (const tag of ['v2', 'v3', 'v4']) await addImage(registry, image, {repository: 'app', tag})
    const source = open(['v2', 'v3', 'v4'].map((tag) => `${registry.host}/app:${tag}`))
    const images = await source.images()
    for (const each of images) await source.manifest(rootOf(each))
    registry.clearLog()
    for (const each of images) expect(await source.referrersOf(each)).toEqual([])
    // Three digests are asked about before the first answer has said that there is no API.
    expect(kinds(registry).toSorted()).toEqual(['referrers', 'referrers', 'referrers', 'tags'])
  })

  it('is not looked for where that is not wanted', async () => {
    const {registry} = await signed({})
    const source = open([`${registry.host}/app:v1`], {referrers: false})
    const image = await only(source)
    registry.clearLog()
    expect(await source.referrersOf(image)).toEqual([])
    expect(registry.requests).toEqual([])
  })

  it('is listed over pages', async () => {
    const image = await makeImage({seed: 'paged'})
    const {mediaType, digest} = image.root.descriptor
    const entries = Array.from({length: 5}, (_, index) => ({
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(Buffer.from(String(index))),
      size: 10,
    }))
    await using server = await startScripted({
      '/v2/app/referrers/*': ({path}) => {
        const at = Number(/at=(\d)/.exec(path)?.[1] ?? 0)
        const link = at < 4 ? {link: `<${path.split('?')[0]}?at=${at + 1}>; rel="next"`} : {}
        const manifests = entries.slice(at, at + 1)
        return {
          headers: {...link, 'content-type': mediaTypes.ociIndex},
          body: JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests}),
        }
      },
      'HEAD /v2/app/manifests/v1': {
        headers: {'content-type': mediaType, 'docker-content-digest': digest},
        body: image.root.bytes,
      },
      '/v2/app/tags/*': {json: {tags: []}},
    })
    const source = open([`${server.host}/app:v1`])
    // Each of the five is asked in turn for its referrers: the same five.
    const found = await source.referrersOf(await only(source))
    expect(new Set(digestsOf(found))).toEqual(new Set(entries.map((entry) => entry.digest)))
  })
})

describe('a signature', () => {
  const verified = async (registry: Registry, host: string, digest: Digest): Promise<boolean> => {
    const tag = `sha256-${hexOf(digest)}.sig`
    const manifest = await registry.manifest({registry: host, repository: 'mirror/app', tag})
    const [layer] = manifest?.kind === 'image' ? manifest.layers : []
    if (layer === undefined) return false
    const copied = open([`${host}/mirror/app:${tag}`])
    await copied.manifest(rootOf(await only(copied)))
    const payload = await collect(copied.blob(layer).open())
    const signature = layer.annotations?.['dev.cosignproject.cosign/signature'] ?? ''
    const named = JSON.parse(payload.toString()) as {critical: {image: Record<string, string>}}
    return (
      named.critical.image['docker-manifest-digest'] === digest &&
      verify('sha256', payload, keys.publicKey, Buffer.from(signature, 'base64'))
    )
  }

  it('is still good after its image was copied, and every digest is the same', async () => {
    const {registry, image, signatures} = await signed({redirectBlobs: true})
    const target = await serve({strict: true})
    const to = sink(target.host)
    const source = open([`${registry.host}/app:v1`])
    const root = await only(source)
    for (const each of [root, ...(await source.referrersOf(root))]) {
      const tag = each.name?.tag ?? ''
      const reference = {registry: target.host, repository: 'mirror/app', tag}
      await copyImage(source, to, {root: rootOf(each), target: reference})
    }
    expect(target.manifest('mirror/app', 'v1')?.digest).toBe(image.root.descriptor.digest)
    for (const {descriptor} of image.manifests) {
      expect(target.manifest('mirror/app', descriptor.digest)?.digest).toBe(descriptor.digest)
      expect(await verified(to, target.host, descriptor.digest)).toBe(true)
    }
    for (const digest of signatures) expect(target.manifest('mirror/app', digest)?.digest).toBe(digest)
    expect([...target.violations, ...target.fsck()]).toEqual([])
  })
})
