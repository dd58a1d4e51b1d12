import {connect as dial, createServer, type Socket} from 'node:net'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {openRegistry, type RegistryOptions, type RegistrySource} from '#src/index.js'
import {digestOf, hexOf, parseReference, type Digest, type Reference} from '#src/model/index.js'
import {
  lacksTool,
  makeAuthority,
  makeImage,
  makeLayers,
  ociLayout,
  seededRandom,
  skopeo,
  skopeoDirectory,
  startDebianRegistry,
  withTempDir,
  writeDirectory,
  type Authority,
  type DebianRegistry,
  type TestImage,
} from '../../../test/kit/index.js'
import {listen} from './http-loopback.js'
import {blobOf, MiB, noise} from './registry-kit.js'
import {collect, copyImage, rootOf, sourceOf} from './source-kit.js'

// The source has TLS by a private authority and a login, the target has neither.
describe.skipIf(lacksTool('docker-registry', 'skopeo'))('distribution 2.8, filled by skopeo', () => {
  let authority: Authority
  let from: DebianRegistry
  let target: DebianRegistry
  const images = new Map<string, TestImage>()

  const access = (): Partial<RegistryOptions> => ({
    plainHttp: false,
    tls: {ca: [authority.ca]},
    credentials: async () => ({kind: 'basic', username: 'u', password: 'secret'}),
  })
  const sourceFor = (names: readonly string[]): RegistrySource =>
    sourceOf(
      names.map((name) => `${from.host}/${name}`),
      {connect: access()},
    )
  const targetOf = (name: Reference): Reference => ({...name, registry: target.host})

  beforeAll(async () => {
    authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1']})
    from = await startDebianRegistry({tls, htpasswd: {u: 'secret'}})
    target = await startDebianRegistry()
    const base = await makeLayers({seed: 'base', layerSize: 300_000, content: 'random'})
    for (let index = 0; index < 6; index++)
      images.set(`team/app${index}:v1`, await makeImage({seed: `${index}`, base}))
    images.set('team/docker:v1', await makeImage({seed: 'docker', format: 'docker'}))
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7']
    images.set('team/multi:v1', await makeImage({seed: 'multi', platforms}))
    await withTempDir(async (directory) => {
      for (const [index, [name, image]] of [...images].entries()) {
        const path = join(directory, String(index))
        const annotations = {'org.opencontainers.image.ref.name': 'it'}
        // As what is no OCI manifest, skopeo does not find it in an OCI layout.
        const isDocker = name === 'team/docker:v1'
        await writeDirectory(path, isDocker ? skopeoDirectory(image) : ociLayout([{image, annotations}]))
        const flags = ['--all', '--preserve-digests', '--dest-tls-verify=false', '--dest-creds=u:secret']
        await skopeo([
          'copy',
          ...flags,
          isDocker ? `dir:${path}` : `oci:${path}:it`,
          `docker://${from.host}/${name}`,
        ])
      }
    })
  })

  afterAll(async () => {
    await target.stop()
    await from.stop()
  })

  it('is resolved by one HEAD for each tag, and one more to learn how to log in', async () => {
    await using source = sourceFor([...images.keys()])
    const found = await source.images()
    expect(found.map((image) => rootOf(image).digest)).toEqual(
      [...images.values()].map(({root}) => root.descriptor.digest),
    )
    expect(source.usage.requests).toBe(images.size + 1)
    expect(source.usage.downloaded).toBe(0)
  })

  it('is copied, and skopeo finds the same digests at the target', async () => {
    await using source = sourceFor([...images.keys()])
    await using sink = openRegistry({registry: target.host, side: 'target', plainHttp: true})
    for (const image of await source.images()) {
      const {name} = image
      if (name !== undefined) await copyImage(source, sink, {root: rootOf(image), target: targetOf(name)})
    }
    const digestAt = async (name: string): Promise<Digest> =>
      digestOf(
        Buffer.from(
          await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${target.host}/${name}`]),
        ),
      )
    for (const [name, {root}] of images) expect(await digestAt(name)).toBe(root.descriptor.digest)
    const path = `docker://${target.host}/team/multi:v1`
    await withTempDir((directory) =>
      skopeo(['copy', '--all', '--src-tls-verify=false', path, `dir:${join(directory, 'all')}`]),
    )
  })

  it('lists its tags, and what cosign keeps under one', async () => {
    const [image] = [...images.values()]
    if (image === undefined) throw new Error('no image')
    const tag = `sha256-${hexOf(image.root.descriptor.digest)}.sig`
    await withTempDir(async (directory) => {
      const signature = await makeImage({seed: 'signature', layers: 1})
      const annotations = {'org.opencontainers.image.ref.name': 'it'}
      await writeDirectory(directory, ociLayout([{image: signature, annotations}]))
      const flags = ['--dest-tls-verify=false', '--dest-creds=u:secret']
      await skopeo(['copy', ...flags, `oci:${directory}:it`, `docker://${from.host}/team/app0:${tag}`])
    })
    await using source = sourceFor(['team/app0:v1', 'team/multi:v1'])
    const [signed, unsigned] = await source.images()
    if (signed === undefined || unsigned === undefined) throw new Error('no images')
    expect((await source.listTags(from.host, 'team/app0')).toSorted()).toEqual([tag, 'v1'])
    await source.manifest(rootOf(unsigned))
    const before = source.usage.requests
    const found = await source.referrersOf(signed)
    expect(found.map(({name}) => name)).toEqual([parseReference(`${from.host}/team/app0:${tag}`)])
    // The list of tags, no referrers API for the image, the tag itself.
    expect(source.usage.requests - before).toBe(3)
    expect(await source.referrersOf(unsigned)).toEqual([])
    // The list alone of an index with three children.
    expect(source.usage.requests - before).toBe(4)
  })
})

describe.skipIf(lacksTool('docker-registry'))('distribution 2.8 behind a link that breaks', () => {
  it('is read to the end by ranges, with little of it twice', async () => {
    await using registry = await startDebianRegistry()
    const bytes = noise(24 * MiB, 'link')
    await using sink = openRegistry({registry: registry.host, side: 'target', plainHttp: true})
    const blob = blobOf(bytes)
    await sink.putBlob('a', blob)
    const random = seededRandom('breaking link')
    let passed = 0
    let breaks = 0
    const link = await listen(
      createServer((client: Socket) => {
        const server = dial(Number(registry.host.split(':')[1]), '127.0.0.1')
        let left = breaks < 8 ? MiB + random() * 2 * MiB : Number.POSITIVE_INFINITY
        server.on('data', (chunk) => {
          passed += chunk.length
          left -= chunk.length
          if (left > 0) {
            if (!client.write(chunk)) server.pause()
            return
          }
          breaks += 1
          client.end(chunk)
          server.destroy()
        })
        client.on('drain', () => server.resume())
        client.pipe(server)
        for (const [one, other] of [[client, server] as const, [server, client] as const]) {
          one.on('error', () => other.destroy())
          one.on('close', () => other.destroy())
        }
      }),
    )
    try {
      await using source = sourceOf([`127.0.0.1:${link.port}/a@${digestOf(Buffer.from('{}'))}`], {
        known: () => ({mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length}),
      })
      await source.images()
      const read = await collect(
        source.blob({...blob.content, mediaType: 'layer', digest: digestOf(bytes)}).open(),
      )
      expect(read.equals(bytes)).toBe(true)
      expect(breaks).toBe(8)
      expect(passed).toBeLessThan(bytes.length + breaks * 256 * 1024)
    } finally {
      await link.close()
    }
  })
})
