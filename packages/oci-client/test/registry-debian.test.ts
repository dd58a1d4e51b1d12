import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {digestOf, mediaTypes, parseManifest, type Digest} from '#src/model/index.js'
import type {Registry} from '#src/index.js'
import {startDebianRegistry, type DebianRegistry} from '../../../test/kit/index.js'
import {blobOf, connect, KiB, MiB, noise, pendingOf} from './registry-kit.js'

const isInstalled = await promisify(execFile)('docker-registry', ['--version']).then(
  () => true,
  () => false,
)
if (!isInstalled && process.env['CI'] !== undefined)
  throw new Error('docker-registry is not installed: apt-get install docker-registry')

// Debian's docker-registry is distribution 2.8, as in Harbor.
describe.skipIf(!isInstalled)('distribution 2.8 (skipped where docker-registry is not installed)', () => {
  let server: DebianRegistry
  let registry: Registry
  let host = ''

  beforeAll(async () => {
    server = await startDebianRegistry()
    host = server.host
    registry = connect(host, {retryMaxWait: 200, retries: 50})
    await registry.ping()
  })

  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await server.stop()
  })

  const requestsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = registry.usage.requests
    await work()
    return registry.usage.requests - before
  }

  it('takes a small blob in three requests, and one where it is there', async () => {
    const blob = blobOf(noise(5 * KiB, 'small'))
    expect(await requestsOf(() => registry.putBlob('a/b', blob))).toBe(3)
    expect(await requestsOf(() => registry.putBlob('a/b', blob))).toBe(1)
    expect(await requestsOf(() => registry.putBlob('c/d', blob, {mountFrom: ['a/b']}))).toBe(1)
  })

  it('takes an empty blob', async () => {
    await registry.putBlob('a/b', blobOf(Buffer.alloc(0)))
    expect(await registry.hasBlob('a/b', digestOf(Buffer.alloc(0)))).toBe(true)
  })

  it('takes a large blob in one PATCH and in chunks', async () => {
    const streamed = blobOf(noise(5 * MiB, 'streamed'))
    expect(await requestsOf(() => registry.putBlob('a/b', streamed))).toBe(4)
    await using chunking = connect(host, {chunkSize: 2 * MiB})
    const chunked = noise(5 * MiB, 'chunked')
    await chunking.putBlob('a/b', blobOf(chunked), {absent: true})
    expect(chunking.usage.requests).toBe(5)
    expect(chunking.knowledge.chunks).toBe('work')
    expect(await registry.hasBlob('a/b', digestOf(chunked))).toBe(true)
  })

  it('takes a layer whose digest comes last', async () => {
    const bytes = noise(2 * MiB, 'pending')
    const {descriptor} = await registry.putBlob('a/b', pendingOf(bytes))
    expect(descriptor.digest).toBe(digestOf(bytes))
    expect(await registry.hasBlob('a/b', digestOf(bytes))).toBe(true)
  })

  it('refuses a manifest by its sha512 digest, with the advice to use sha256', async () => {
    const config = Buffer.from('{}')
    await registry.putBlob('a/long', blobOf(config))
    const described = {mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length}
    const text = {schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: described, layers: []}
    const manifest = parseManifest(Buffer.from(JSON.stringify(text)), {algorithm: 'sha512'})
    const {digest} = manifest.descriptor
    const pushing = registry.putManifest({registry: host, repository: 'a/long', digest}, manifest)
    await expect(pushing).rejects.toMatchObject({
      code: 'MANIFEST_REJECTED',
      message: expect.stringContaining('provided digest did not match'),
      advice: {kind: 'use-sha256'},
    })
    await registry.putManifest({registry: host, repository: 'a/long', tag: 'v1'}, manifest)
  })

  it('takes an image, and gives it back as it was', async () => {
    const config = Buffer.from('{"architecture":"amd64","os":"linux"}')
    const layer = noise(10, 'layer')
    for (const bytes of [config, layer]) await registry.putBlob('a/image', blobOf(bytes))
    const described = (mediaType: string, bytes: Buffer): object => ({
      mediaType,
      digest: digestOf(bytes) satisfies Digest,
      size: bytes.length,
    })
    const manifest = parseManifest(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: described(mediaTypes.ociConfig, config),
          layers: [described(mediaTypes.ociLayer, layer)],
        }),
      ),
    )
    const target = {registry: host, repository: 'a/image', tag: 'v1'}
    expect(await registry.resolve(target)).toBeUndefined()
    await registry.putManifest(target, manifest)
    expect(await registry.resolve(target)).toEqual(manifest.descriptor)
    const read = await registry.manifest(target)
    expect(manifest.bytes).toEqual(Buffer.from(read?.bytes ?? []))
    const subject = parseManifest(
      Buffer.from(
        JSON.stringify({...JSON.parse(Buffer.from(manifest.bytes).toString()), subject: manifest.descriptor}),
      ),
    )
    await registry.putManifest({registry: host, repository: 'a/image'}, subject)
    const tag = manifest.descriptor.digest.replace(':', '-')
    const list = await registry.manifest({registry: host, repository: 'a/image', tag})
    expect(list?.kind === 'index' && list.children.map(({digest}) => digest)).toEqual([
      subject.descriptor.digest,
    ])
  })

  it('refuses a manifest without its content as BLOB_UNKNOWN', async () => {
    const missing = {mediaType: mediaTypes.ociConfig, digest: digestOf(noise(7)), size: 7}
    const manifest = parseManifest(
      Buffer.from(
        JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: missing, layers: []}),
      ),
    )
    const target = {registry: host, repository: 'a/image', tag: 'v2'}
    await expect(registry.putManifest(target, manifest)).rejects.toMatchObject({code: 'BLOB_UNKNOWN'})
  })
})
