import {describe, expect, it} from 'vitest'
import {mediaTypes, parseManifest, type Digest, type Manifest, type Reference} from '#src/model/index.js'
import {addImage, makeImage, makeManifest, type TestImage} from '../../../test/kit/index.js'
import type {RegistryOptions, TestRegistry} from '../../../test/registry/index.js'
import {connect, kinds, useRegistries} from './registry-kit.js'

const connected = useRegistries()
const REPOSITORY = 'team/app'

function at({host}: TestRegistry, tag: string): Reference {
  return {registry: host, repository: REPOSITORY, tag}
}
async function put(served: TestRegistry, image: TestImage, ...tags: readonly string[]): Promise<Digest> {
  await addImage(served, image, {repository: REPOSITORY})
  for (const tag of tags) await addImage(served, image, {repository: REPOSITORY, tag})
  return image.root.descriptor.digest
}
function tagsOf(served: TestRegistry): readonly string[] {
  return served.tags(REPOSITORY).toSorted()
}
function any(): boolean {
  return true
}
function none(): boolean {
  return false
}

/** A registry with `v1` and `latest` of one image, `v2` of another. */
async function filled(options: RegistryOptions = {}, client: Parameters<typeof connected>[1] = {}) {
  const {served, registry} = await connected(options, client)
  const digest = await put(served, await makeImage({seed: 'one'}), 'v1', 'latest')
  const other = await put(served, await makeImage({seed: 'two'}), 'v2')
  return {served, registry, digest, other}
}

describe('deleting a tag', () => {
  it('takes two requests, and leaves the other tags of the manifest', async () => {
    const {served, registry, digest} = await filled()
    const result = await registry.deleteTag(at(served, 'v1'), {digest, mayGo: none})
    expect(result).toEqual({status: 'deleted', along: []})
    expect(kinds(served)).toEqual(['manifest-head', 'manifest-delete'])
    expect(tagsOf(served)).toEqual(['latest', 'v2'])
    expect(served.fsck()).toEqual([])
  })

  it('that points at something else leaves it, and says at what', async () => {
    const {served, registry, digest, other} = await filled()
    const result = await registry.deleteTag(at(served, 'v2'), {digest, mayGo: any})
    expect(result).toEqual({status: 'changed', digest: other})
    expect(tagsOf(served)).toEqual(['latest', 'v1', 'v2'])
  })

  it.each(['on', 'by-digest', 'off'] as const)(
    'that is gone already is fine (deletion: %s)',
    async (deletion) => {
      const {served, registry, digest} = await filled({deletion})
      expect(await registry.deleteTag(at(served, 'v0'), {digest, mayGo: any})).toEqual({status: 'gone'})
      const elsewhere = {...at(served, 'v1'), repository: 'no/where'}
      expect(await registry.deleteTag(elsewhere, {digest, mayGo: any})).toEqual({status: 'gone'})
      expect(tagsOf(served)).toEqual(['latest', 'v1', 'v2'])
    },
  )

  it('that somebody else deletes between the two requests is fine', async () => {
    const {served, registry, digest} = await filled()
    served.setFaults([
      {match: {kind: 'manifest-delete'}, fault: {type: 'status', status: 404}},
      {match: {kind: 'manifest-head'}, nth: 2, fault: {type: 'status', status: 404}},
    ])
    expect(await registry.deleteTag(at(served, 'v1'), {digest, mayGo: any})).toEqual({status: 'gone'})
    expect(kinds(served)).toEqual(['manifest-head', 'manifest-delete', 'manifest-head'])
  })

  it('is tried again where the registry stumbles', async () => {
    const {served, registry, digest} = await filled()
    served.setFaults([{match: {kind: 'manifest-delete'}, fault: {type: 'status', status: 503}}])
    expect(await registry.deleteTag(at(served, 'v1'), {digest, mayGo: none})).toMatchObject({
      status: 'deleted',
    })
    expect(registry.usage.retries).toBe(1)
  })

  it('is refused as it was asked for where the run is stopped', async () => {
    const {served, registry, digest} = await filled()
    const signal = AbortSignal.abort()
    await expect(registry.deleteTag(at(served, 'v1'), {digest, mayGo: any, signal})).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(tagsOf(served)).toEqual(['latest', 'v1', 'v2'])
  })
})

describe('deleting a tag where only manifests can be deleted', () => {
  it('deletes the manifest, where nothing else points at it', async () => {
    const {served, registry, other} = await filled({deletion: 'by-digest'})
    const result = await registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: none})
    expect(result).toEqual({status: 'deleted', along: []})
    expect(tagsOf(served)).toEqual(['latest', 'v1'])
    expect(served.fsck()).toEqual([])
  })

  it('deletes it with its other tags, where those may go, too', async () => {
    const {served, registry, digest} = await filled({deletion: 'by-digest'})
    const asked: string[] = []
    const mayGo = (tag: string): boolean => asked.push(tag) > 0
    expect(await registry.deleteTag(at(served, 'v1'), {digest, mayGo})).toEqual({
      status: 'deleted',
      along: ['latest'],
    })
    expect(asked).toEqual(['latest'])
    expect(tagsOf(served)).toEqual(['v2'])
    expect(await registry.deleteTag(at(served, 'latest'), {digest, mayGo})).toEqual({status: 'gone'})
  })

  it('leaves it where one of them may not', async () => {
    const {served, registry, digest} = await filled({deletion: 'by-digest'})
    const result = await registry.deleteTag(at(served, 'v1'), {digest, mayGo: none})
    expect(result).toEqual({status: 'shared', by: 'latest'})
    expect(tagsOf(served)).toEqual(['latest', 'v1', 'v2'])
  })

  it('leaves it where it is used by its digest', async () => {
    const {served, registry, other} = await filled({deletion: 'by-digest'})
    const result = await registry.deleteTag(at(served, 'v2'), {
      digest: other,
      mayGo: any,
      isUsedByDigest: true,
    })
    expect(result).toEqual({status: 'shared', by: other})
    expect(tagsOf(served)).toContain('v2')
  })

  it('leaves it where an index holds it, at whatever depth', async () => {
    const {served, registry} = await connected({deletion: 'by-digest'})
    const multi = await makeImage({seed: 'multi', platforms: ['linux/amd64', 'linux/arm64']})
    const [child = {manifest: multi.root}] = multi.platforms
    const outer = makeManifest(
      {schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [multi.root.descriptor]},
      {mediaType: mediaTypes.ociIndex},
    )
    const add = (tag: string, {bytes, descriptor: {mediaType}}: TestImage['root']): Reference => {
      served.addManifest({repository: REPOSITORY, reference: tag, bytes, mediaType})
      return at(served, tag)
    }
    await put(served, multi)
    const inside = add('amd64', child.manifest)
    add('nested', outer)
    const {digest} = child.manifest.descriptor
    // `amd64` is in an index without a tag of its own, which is in the one that has the tag.
    const shared = {status: 'shared', by: 'nested'}
    expect(await registry.deleteTag(inside, {digest, mayGo: any})).toEqual(shared)
    expect(served.fsck()).toEqual([])
    const root = {digest: outer.descriptor.digest, mayGo: none}
    expect(await registry.deleteTag(at(served, 'nested'), root)).toMatchObject({status: 'deleted'})
    expect(tagsOf(served)).toEqual(['amd64'])
  })

  it('finds that out where DELETE of a tag is simply not there', async () => {
    const {served, registry, other} = await filled({deletion: 'by-digest'})
    for (const status of [404, 405, 501]) {
      await put(served, await makeImage({seed: 'two'}), 'v2')
      await using fresh = connect(served.host)
      served.setFaults([{match: {kind: 'manifest-delete', path: /v2$/}, fault: {type: 'status', status}}])
      const result = await fresh.deleteTag(at(served, 'v2'), {digest: other, mayGo: none})
      expect(result).toEqual({status: 'deleted', along: []})
    }
    expect(registry.usage.requests).toBe(0)
  })

  it('looks at the tags once for many deletions, and anew after it has set one itself', async () => {
    const {served, registry} = await connected({deletion: 'by-digest', maxPage: 10})
    const images = await Promise.all(Array.from({length: 25}, (_, index) => makeImage({seed: `${index}`})))
    for (const [index, image] of images.entries()) await put(served, image, `v${index}`)
    const digestOf = (index: number) => images[index]?.root.descriptor.digest as Digest
    const remove = (index: number) =>
      registry.deleteTag(at(served, `v${index}`), {digest: digestOf(index), mayGo: none})
    for (let index = 0; index < 10; index += 1) expect(await remove(index)).toMatchObject({status: 'deleted'})
    // Three pages, a look at each tag; and for each deletion a look and a DELETE, with a refused one for the first tag.
    expect(served.requests.length).toBe(3 + 25 + 10 * 2 + 1)
    await registry.putManifest(at(served, 'extra'), manifestOf(images[20]))
    expect(await remove(20)).toEqual({status: 'shared', by: 'extra'})
  })

  it('tells that deletion is switched off, and asks for it once', async () => {
    const {served, registry, digest, other} = await filled({deletion: 'off'})
    const refused = {
      code: 'DENIED',
      side: 'target',
      advice: {kind: 'switch-on-deletion'},
    }
    await expect(registry.deleteTag(at(served, 'v1'), {digest, mayGo: any})).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`${served.host}/team/app:v1`) as string,
    })
    served.clearLog()
    await expect(registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: any})).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`${served.host}/team/app:v2`) as string,
    })
    expect(kinds(served)).toEqual(['manifest-head'])
    expect(tagsOf(served)).toEqual(['latest', 'v1', 'v2'])
  })

  it('leaves a tag that the registry does not list, since others may be missing as well', async () => {
    const {served, registry, other} = await filled({deletion: 'by-digest'})
    served.setFaults([
      {match: {kind: 'tags'}, fault: {type: 'status', status: 200, body: '{"tags":["v1","latest"]}'}},
    ])
    await expect(registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: any})).rejects.toMatchObject({
      code: 'PROTOCOL',
    })
    expect(tagsOf(served)).toContain('v2')
  })

  it('does not delete what it cannot look at', async () => {
    const {served, registry, other} = await filled({deletion: 'by-digest'})
    served.setFaults([
      {
        match: {kind: 'manifest-head', path: /latest$/},
        times: Infinity,
        fault: {type: 'status', status: 403},
      },
      {match: {kind: 'manifest-get', path: /latest$/}, times: Infinity, fault: {type: 'status', status: 403}},
    ])
    await expect(registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: any})).rejects.toMatchObject({
      code: 'DENIED',
    })
    served.setFaults([])
    expect(await registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: any})).toMatchObject({
      status: 'deleted',
    })
  })

  it('deletes a manifest without a tag by the same rules', async () => {
    const {served, registry, digest, other} = await filled({deletion: 'on'})
    const target = {registry: served.host, repository: REPOSITORY}
    expect(await registry.deleteTag(target, {digest, mayGo: none})).toMatchObject({status: 'shared'})
    expect(await registry.deleteTag(target, {digest: other, mayGo: any})).toEqual({
      status: 'deleted',
      along: ['v2'],
    })
    expect(await registry.deleteTag(target, {digest: other, mayGo: any})).toEqual({status: 'gone'})
  })
})

describe('deleting a tag behind a login', () => {
  const users = [
    {name: 'u', password: 'secret'},
    {name: 'adder', password: 'secret', access: 'add'},
  ] as const
  const as = (username: string) => ({
    credentials: async () => ({kind: 'basic' as const, username, password: 'secret'}),
  })

  it.each(['on', 'by-digest'] as const)('asks for the right to delete (deletion: %s)', async (deletion) => {
    const {served, registry, other} = await filled({deletion, auth: {type: 'token', users}}, as('u'))
    expect(await registry.deleteTag(at(served, 'v2'), {digest: other, mayGo: none})).toMatchObject({
      status: 'deleted',
    })
    // At once, and not only after the registry has asked for it.
    const attempts = served.requests.filter(({kind}) => kind === 'manifest-delete')
    expect(attempts.map(({status}) => status)).toEqual(deletion === 'on' ? [202] : [400, 202])
    const scopes = served.requests
      .filter(({kind}) => kind === 'token')
      .map(({path}) => decodeURIComponent(path))
    expect(scopes.some((path) => path.includes(`repository:${REPOSITORY}:delete,pull,push`))).toBe(true)
  })

  it.each([
    ['token', 403],
    ['token', 401],
    ['basic', 403],
  ] as const)('tells that the right is missing (%s, %i)', async (type, refusal) => {
    const auth = type === 'basic' ? {type, users} : {type, users, refusal}
    const {served, registry, other} = await filled({auth}, as('adder'))
    const error = await registry
      .deleteTag(at(served, 'v2'), {digest: other, mayGo: any})
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'DENIED',
      side: 'target',
      advice: {kind: 'check-deletion-right'},
    })
    expect(String(error)).not.toContain('secret')
    expect(tagsOf(served)).toContain('v2')
  })
})

function manifestOf(image: TestImage | undefined): Manifest {
  return parseManifest(image?.root.bytes ?? Buffer.from(''), {mediaType: image?.root.descriptor.mediaType})
}
