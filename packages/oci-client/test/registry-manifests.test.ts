import {describe, expect, it} from 'vitest'
import {
  digestOf,
  mediaTypes,
  parseManifest,
  referrersTag,
  type Descriptor,
  type Manifest,
} from '#src/model/index.js'
import {blobOf, kinds, methods, noise, useRegistries} from './registry-kit.js'
import type {TestRegistry} from '../../../test/registry/index.js'
import type {Registry} from '#src/index.js'

const start = useRegistries()

const REPO = 'team/app'
const config = Buffer.from('{}')
const layer = noise(100)

function imageOf(extra: object = {}): Manifest {
  return parseManifest(
    Buffer.from(
      JSON.stringify(
        {
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: {mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length},
          layers: [{mediaType: mediaTypes.ociLayer, digest: digestOf(layer), size: layer.length}],
          ...extra,
        },
        undefined,
        3,
      ),
    ),
  )
}

function at(registry: TestRegistry, tag?: string) {
  return {
    registry: registry.host,
    repository: REPO,
    tag,
  }
}

async function pushImage(served: TestRegistry, registry: Registry): Promise<Manifest> {
  await registry.putBlob(REPO, blobOf(config))
  await registry.putBlob(REPO, blobOf(layer))
  const image = imageOf()
  await registry.putManifest(at(served, 'v1'), image)
  return image
}

describe('putManifest', () => {
  it('stores the very bytes, under a tag or by digest', async () => {
    const {served, registry} = await start()
    const image = await pushImage(served, registry)
    const other = imageOf({annotations: {a: 'b'}})
    await registry.putManifest(at(served), other)
    expect(served.manifest(REPO, 'v1')?.bytes).toEqual(Buffer.from(image.bytes))
    expect(served.manifest(REPO, other.descriptor.digest)?.bytes).toEqual(Buffer.from(other.bytes))
    expect(served.tags(REPO)).toEqual(['v1'])
    expect(served.fsck()).toEqual([])
  })

  it('whose content is missing is BLOB_UNKNOWN', async () => {
    const {served, registry} = await start()
    await expect(registry.putManifest(at(served, 'v1'), imageOf())).rejects.toMatchObject({
      code: 'BLOB_UNKNOWN',
      side: 'target',
    })
    expect(served.tags(REPO)).toEqual([])
  })

  it('that is not taken as it is is MANIFEST_REJECTED', async () => {
    const {served, registry} = await start({manifestTypes: 'oci'})
    await pushImage(served, registry)
    const docker = imageOf({mediaType: mediaTypes.dockerManifest})
    await expect(registry.putManifest(at(served, 'v2'), docker)).rejects.toMatchObject({
      code: 'MANIFEST_REJECTED',
    })
  })

  it('is sent again when the registry was busy', async () => {
    const fault = {match: {kind: 'manifest-put'}, fault: {type: 'reset-after'}} as const
    const {served, registry} = await start({faults: [fault]})
    await pushImage(served, registry)
    expect(kinds(served).filter((kind) => kind === 'manifest-put')).toHaveLength(2)
    expect(registry.usage.retries).toBe(1)
  })

  it('that the registry stores as something else is an error', async () => {
    const headers = {'docker-content-digest': digestOf(noise(1))}
    const {served, registry} = await start({
      faults: [{match: {kind: 'manifest-put'}, fault: {type: 'headers', headers}}],
    })
    await expect(pushImage(served, registry)).rejects.toMatchObject({code: 'PROTOCOL'})
  })
})

describe('resolve', () => {
  it('takes one HEAD, and gives what the tag points at', async () => {
    const {served, registry} = await start()
    const image = await pushImage(served, registry)
    served.clearLog()
    expect(await registry.resolve(at(served, 'v1'))).toEqual(image.descriptor)
    expect(await registry.resolve({...at(served), digest: image.descriptor.digest})).toEqual(image.descriptor)
    expect(methods(served)).toBe('HEAD HEAD')
  })

  it('gives undefined for a tag and for a repository that are not there', async () => {
    const {served, registry} = await start()
    expect(await registry.resolve(at(served, 'v1'))).toBeUndefined()
    expect(await registry.manifest(at(served, 'v1'))).toBeUndefined()
  })

  it.each(['docker-content-digest', 'content-length', 'content-type'])(
    'reads the manifest where the answer has no %s',
    async (name) => {
      const {served, registry} = await start({
        faults: [{match: {kind: 'manifest-head'}, fault: {type: 'headers', headers: {[name]: undefined}}}],
      })
      const image = await pushImage(served, registry)
      expect(await registry.resolve(at(served, 'v1'))).toEqual(image.descriptor)
    },
  )

  it('does not take another digest than the one asked for', async () => {
    const headers = {'docker-content-digest': digestOf(noise(1))}
    const {served, registry} = await start({
      faults: [{match: {kind: 'manifest-head'}, fault: {type: 'headers', headers}}],
    })
    const image = await pushImage(served, registry)
    const target = {...at(served), digest: image.descriptor.digest}
    await expect(registry.resolve(target)).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  })
})

describe('manifest', () => {
  it('gives the very bytes', async () => {
    const {served, registry} = await start()
    const image = await pushImage(served, registry)
    const read = await registry.manifest(at(served, 'v1'))
    expect(Buffer.from(read?.bytes ?? []).equals(image.bytes)).toBe(true)
    expect(read?.descriptor).toEqual(image.descriptor)
  })

  it('that was changed on the way is refused', async () => {
    const {served, registry} = await start({
      faults: [{match: {kind: 'manifest-get'}, fault: {type: 'corrupt'}}],
    })
    await pushImage(served, registry)
    await expect(registry.manifest(at(served, 'v1'))).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  })

  it('that was changed on the way is refused by the digest asked for, whatever the headers say', async () => {
    const {served, registry} = await start()
    const image = await pushImage(served, registry)
    const other = imageOf({annotations: {a: 'b'}})
    await registry.putManifest(at(served, 'v2'), other)
    served.setFaults([
      {
        match: {kind: 'manifest-get'},
        fault: {
          type: 'status',
          status: 200,
          headers: {'docker-content-digest': other.descriptor.digest, 'content-type': mediaTypes.ociManifest},
          body: Buffer.from(other.bytes).toString(),
        },
      },
    ])
    const target = {...at(served), digest: image.descriptor.digest}
    await expect(registry.manifest(target)).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  })

  it('that never ends is cut off', async () => {
    const {served, registry} = await start({
      faults: [{match: {kind: 'manifest-get'}, fault: {type: 'endless'}}],
    })
    await pushImage(served, registry)
    await expect(registry.manifest(at(served, 'v1'))).rejects.toMatchObject({code: 'LIMIT_EXCEEDED'})
  })
})

describe('a referrer', () => {
  const signatureOf = (subject: Descriptor, name: string): Manifest =>
    imageOf({artifactType: 'application/vnd.test', annotations: {name}, subject})
  const tagOf = ({digest}: Descriptor): string => digest.replace(':', '-')

  it.each([400, 401, 403])('is listed under a tag that is answered %d while it is absent', async (status) => {
    const {served, registry} = await start({referrers: false})
    const image = await pushImage(served, registry)
    served.setFaults([{match: {kind: 'manifest-get'}, times: Infinity, fault: {type: 'status', status}}])
    const referrer = signatureOf(image.descriptor, 'a')
    await registry.putManifest(at(served), referrer)
    expect(served.tags(REPO)).toHaveLength(2)
    const other = registry.putManifest(at(served), signatureOf(image.descriptor, 'b'))
    await expect(other).rejects.toMatchObject({side: 'target'})
    served.setFaults([])
    expect(served.manifest(REPO, referrersTag(image.descriptor.digest))?.bytes.toString()).toContain(
      referrer.descriptor.digest,
    )
  })

  it('is listed by a registry that has the referrers API, and nothing else is done', async () => {
    const {served, registry} = await start()
    const image = await pushImage(served, registry)
    await registry.putManifest(at(served), signatureOf(image.descriptor, 'a'))
    expect(served.tags(REPO)).toEqual(['v1'])
  })

  it('is listed under the fall-back tag elsewhere: all of them, also when they come at once', async () => {
    const {served, registry} = await start({referrers: false})
    const image = await pushImage(served, registry)
    const referrers = ['a', 'b', 'c', 'd'].map((name) => signatureOf(image.descriptor, name))
    await Promise.all(referrers.map((referrer) => registry.putManifest(at(served), referrer)))
    const list = await registry.manifest(at(served, tagOf(image.descriptor)))
    expect(list?.kind === 'index' && list.children).toEqual(
      expect.arrayContaining(
        referrers.map(({descriptor, annotations}) =>
          Object.assign({artifactType: 'application/vnd.test', annotations}, descriptor),
        ),
      ),
    )
  })

  it('is listed once, however often it is pushed, and keeps what others listed', async () => {
    const {served, registry} = await start({referrers: false, missingContent: 'allow-index'})
    const image = await pushImage(served, registry)
    const others = {mediaType: mediaTypes.ociManifest, digest: digestOf(noise(3)), size: 3, extra: 'kept'}
    const existing = Buffer.from(
      JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [others], own: 1}),
    )
    await registry.putManifest(at(served, tagOf(image.descriptor)), parseManifest(existing))
    for (let turn = 0; turn < 2; turn++)
      await registry.putManifest(at(served), signatureOf(image.descriptor, 'a'))
    const stored = served.manifest(REPO, tagOf(image.descriptor))?.bytes
    const json = JSON.parse(Buffer.from(stored ?? []).toString()) as {manifests: unknown[]; own: number}
    expect(json.own).toBe(1)
    expect(json.manifests).toHaveLength(2)
    expect(json.manifests[0]).toEqual(others)
  })
})

describe('ping', () => {
  const users = [{name: 'u', password: 'p'}]

  it('asks for and proves the credential', async () => {
    const credentials = async () => ({kind: 'basic', username: 'u', password: 'p'}) as const
    const {registry} = await start({auth: {type: 'basic', users}}, {credentials})
    await expect(registry.ping()).resolves.toBeUndefined()
  })

  it('fails where there is none', async () => {
    const {registry} = await start({auth: {type: 'basic', users}})
    await expect(registry.ping()).rejects.toMatchObject({code: 'AUTH_REQUIRED'})
  })

  it.each([404, 403])('does not mind %i, which some registries answer there', async (status) => {
    const {registry} = await start({faults: [{match: {kind: 'ping'}, fault: {type: 'status', status}}]})
    await expect(registry.ping()).resolves.toBeUndefined()
  })

  it('tells of a registry that is not there', async () => {
    const {served, registry} = await start({}, {retries: 0})
    await served.goDown()
    await expect(registry.ping()).rejects.toMatchObject({code: 'UNREACHABLE', side: 'target'})
  })
})

describe('warnings of a registry', () => {
  it('are passed on once each, on one line', async () => {
    const warnings: string[] = []
    const headers = {warning: '299 - "going \\"away\\"\t soon"'}
    const {registry} = await start(
      {faults: [{match: {kind: 'ping'}, times: 2, fault: {type: 'headers', headers}}]},
      {onWarning: (text) => warnings.push(text)},
    )
    await registry.ping()
    await registry.ping()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toBe('going "away" soon')
  })
})
