import {describe, expect, it} from 'vitest'
import {mediaTypes} from '#src/model/index.js'
import {addImage, makeImage, makeManifest} from '../../../test/kit/index.js'
import {kinds} from './registry-kit.js'
import {rootOf, useSources} from './source-kit.js'

const {serve, open} = useSources()

describe('manifests', () => {
  it('are read once by digest, whoever asks, with the bytes they have', async () => {
    const registry = await serve()
    const image = await makeImage({seed: 'multi', platforms: ['linux/amd64', 'linux/arm64']})
    await addImage(registry, image, {repository: 'a', tag: 'v1'})
    const source = open([`${registry.host}/a:v1`])
    const [found] = await source.images()
    if (found === undefined) throw new Error('nothing found')
    const [index] = await Promise.all([source.manifest(rootOf(found)), source.manifest(rootOf(found))])
    expect(Buffer.from(index.bytes).equals(image.root.bytes)).toBe(true)
    if (index.kind !== 'index') throw new Error('no index')
    for (const child of index.children)
      expect((await source.manifest(child)).descriptor.digest).toBe(child.digest)
    expect(kinds(registry)).toEqual(['manifest-head', 'manifest-get', 'manifest-get', 'manifest-get'])
  })

  it('that their registry lacks are missing, and can be asked for again', async () => {
    const registry = await serve({missingContent: 'allow'})
    const image = await makeImage({seed: 'sparse', platforms: ['linux/amd64', 'linux/arm64']})
    registry.addManifest({
      repository: 'a',
      reference: 'v1',
      mediaType: mediaTypes.ociIndex,
      bytes: image.root.bytes,
    })
    const source = open([`${registry.host}/a:v1`])
    const [found] = await source.images()
    const index = found && (await source.manifest(rootOf(found)))
    const [child] = index?.kind === 'index' ? index.children : []
    if (child === undefined) throw new Error('no child')
    expect(source.has(child)).toBe(true)
    await expect(source.manifest(child)).rejects.toMatchObject({code: 'BLOB_MISSING', side: 'source'})
    await addImage(registry, image, {repository: 'a'})
    expect((await source.manifest(child)).descriptor.digest).toBe(child.digest)
  })

  it.each([
    ['other bytes', {type: 'corrupt'}, 'DIGEST_MISMATCH'],
    ['a body without end', {type: 'endless'}, 'LIMIT_EXCEEDED'],
  ] as const)('with %s are refused', async (_how, fault, code) => {
    const registry = await serve({faults: [{match: {kind: 'manifest-get'}, times: Infinity, fault}]})
    await addImage(registry, await makeImage({seed: 'damaged'}), {repository: 'a', tag: 'v1'})
    const source = open([`${registry.host}/a:v1`])
    const [found] = await source.images()
    if (found === undefined) throw new Error('nothing found')
    await expect(source.manifest(rootOf(found))).rejects.toMatchObject({code, side: 'source'})
  })

  it('whose index lies about their length are refused', async () => {
    const registry = await serve({missingContent: 'allow'})
    const image = await makeImage({seed: 'child'})
    await addImage(registry, image, {repository: 'a'})
    const child = {...image.root.descriptor, size: image.root.descriptor.size + 1}
    const mediaType = mediaTypes.ociIndex
    const index = makeManifest({schemaVersion: 2, mediaType, manifests: [child]}, {mediaType})
    registry.addManifest({repository: 'a', reference: 'v1', mediaType, bytes: index.bytes})
    const source = open([`${registry.host}/a:v1`])
    const [found] = await source.images()
    const manifest = found && (await source.manifest(rootOf(found)))
    const [listed] = manifest?.kind === 'index' ? manifest.children : []
    if (listed === undefined) throw new Error('no child')
    await expect(source.manifest(listed)).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  })

  it('of foreign layers say that the source does not hold those', () => {
    const {digest} = makeManifest({}, {mediaType: 'x'}).descriptor
    const source = open([])
    const foreign = {
      mediaType: `${mediaTypes.dockerForeignLayer}.gzip`,
      digest,
      size: 5,
      urls: ['https://x.example/l'],
    }
    expect(source.has(foreign)).toBe(false)
    expect(() => source.blob(foreign)).toThrow(expect.objectContaining({code: 'BLOB_MISSING'}))
    expect(source.has({...foreign, mediaType: mediaTypes.ociLayerGzip})).toBe(true)
  })

  it('whose answer breaks off are asked for again', async () => {
    const fault = {type: 'reset-in-body' as const, after: 100}
    const registry = await serve({faults: [{match: {kind: 'manifest-get'}, times: 2, fault}]})
    const image = await makeImage({seed: 'torn'})
    await addImage(registry, image, {repository: 'a', tag: 'v1'})
    const source = open([`${registry.host}/a:v1`])
    const [found] = await source.images()
    const manifest = found && (await source.manifest(rootOf(found)))
    expect(manifest?.descriptor.digest).toBe(image.root.descriptor.digest)
    expect(source.usage.retries).toBe(2)
  })
})
