import {afterEach, describe, expect, it} from 'vitest'
import type {Registry} from '#src/index.js'
import {parseManifest, type Digest, type Reference} from '#src/model/index.js'
import {
  lacksTool,
  makeImage,
  makeTempDir,
  startDebianRegistry,
  type DebianRegistry,
  type DebianRegistryOptions,
  type TestImage,
} from '../../../test/kit/index.js'
import {blobOf, connect} from './registry-kit.js'

const REPOSITORY = 'team/app'
function any(): boolean {
  return true
}
function none(): boolean {
  return false
}

// distribution 2.8, as in Harbor: it deletes manifests and no tags
describe.skipIf(lacksTool('docker-registry'))('deleting a tag at distribution 2.8', () => {
  const open: AsyncDisposable[] = []
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  })

  const start = async (options: DebianRegistryOptions = {}) => {
    const server = await startDebianRegistry(options)
    open.push(server)
    return {server, registry: client(server)}
  }
  const client = ({host}: DebianRegistry): Registry => {
    const registry = connect(host)
    open.push(registry)
    return registry
  }
  const at = ({host}: DebianRegistry, tag: string): Reference => ({
    registry: host,
    repository: REPOSITORY,
    tag,
  })

  const push = async (
    {server, registry}: {server: DebianRegistry; registry: Registry},
    {image, tags}: {image: TestImage; tags: readonly string[]},
  ): Promise<Digest> => {
    for (const {bytes} of image.blobs) await registry.putBlob(REPOSITORY, blobOf(Buffer.from(bytes)))
    for (const {bytes, descriptor} of image.manifests) {
      const manifest = parseManifest(bytes, {mediaType: descriptor.mediaType})
      await registry.putManifest({registry: server.host, repository: REPOSITORY}, manifest)
    }
    const root = parseManifest(image.root.bytes, {mediaType: image.root.descriptor.mediaType})
    for (const tag of tags) await registry.putManifest(at(server, tag), root)
    return root.descriptor.digest
  }
  const tagsOf = async ({host}: DebianRegistry): Promise<readonly string[]> => {
    const response = await fetch(`http://${host}/v2/${REPOSITORY}/tags/list`)
    const {tags} = (await response.json()) as {tags: readonly string[] | null}
    return (tags ?? []).toSorted()
  }

  it('deletes the manifest, with its other tags where they may go', async () => {
    const {server, registry} = await start()
    const digest = await push(
      {server, registry},
      {image: await makeImage({seed: 'one'}), tags: ['v1', 'v1.0', 'latest']},
    )
    const other = await push({server, registry}, {image: await makeImage({seed: 'two'}), tags: ['v2']})
    const {deleteTag} = registry
    expect(await deleteTag(at(server, 'v1'), {digest, mayGo: (tag) => tag !== 'latest'})).toEqual({
      status: 'shared',
      by: 'latest',
    })
    expect(await deleteTag(at(server, 'v1'), {digest: other, mayGo: any})).toEqual({
      status: 'changed',
      digest,
    })
    expect(await tagsOf(server)).toEqual(['latest', 'v1', 'v1.0', 'v2'])
    expect(await deleteTag(at(server, 'v1'), {digest, mayGo: any})).toEqual({
      status: 'deleted',
      along: expect.toSatisfy((tags: string[]) => tags.toSorted().join() === 'latest,v1.0') as string[],
    })
    expect(await deleteTag(at(server, 'v1.0'), {digest, mayGo: any})).toEqual({status: 'gone'})
    expect(await tagsOf(server)).toEqual(['v2'])
    expect(await deleteTag(at(server, 'v2'), {digest: other, mayGo: none})).toEqual({
      status: 'deleted',
      along: [],
    })
    expect(await tagsOf(server)).toEqual([])
  })

  it('leaves a manifest that an index holds', async () => {
    const {server, registry} = await start()
    const image = await makeImage({seed: 'multi', platforms: ['linux/amd64', 'linux/arm64']})
    await push({server, registry}, {image, tags: ['v1']})
    const [child = {manifest: image.root}] = image.platforms
    const manifest = parseManifest(child.manifest.bytes)
    await registry.putManifest(at(server, 'v1-amd64'), manifest)
    const {digest} = manifest.descriptor
    expect(await registry.deleteTag(at(server, 'v1-amd64'), {digest, mayGo: any})).toEqual({
      status: 'shared',
      by: 'v1',
    })
    expect(await registry.resolve({registry: server.host, repository: REPOSITORY, digest})).toBeDefined()
  })

  it.each([
    ['switched off', {deletion: false}],
    ['read-only', {readOnly: true}],
  ])('tells that deletion is %s', async (_how, off) => {
    await using directory = await makeTempDir()
    const {server, registry} = await start({storage: directory.path})
    const digest = await push({server, registry}, {image: await makeImage({seed: 'one'}), tags: ['v1']})
    await using copy = await startDebianRegistry({...off, storage: directory.path})
    const error = await client(copy)
      .deleteTag(at(copy, 'v1'), {digest, mayGo: any})
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'DENIED',
      side: 'target',
      message: expect.stringContaining(`${copy.host}/${REPOSITORY}:v1`) as string,
      advice: {kind: 'switch-on-deletion'},
    })
    expect(await tagsOf(copy)).toEqual(['v1'])
  })
})
