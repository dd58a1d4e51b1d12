import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  addImage,
  makeImage,
  makeManifest,
  seededBytes,
  withRegistry,
  type RawClient,
} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

const content = seededBytes('protocol', 100_000)
const digest = digestOf(content)
const OCI = 'application/vnd.oci.image.manifest.v1+json'

describe('manifests', () => {
  test(
    'are refused until all they name is there, and fsck finds what is lost later',
    withRegistry({}, async (registry, client) => {
      const image = await makeImage({seed: 'a', platforms: ['linux/amd64', 'linux/arm64']})
      const put = (path: string, manifest = image.root): ReturnType<RawClient['send']> =>
        client.send('PUT', `/v2/a/b/manifests/${path}`, {
          body: manifest.bytes,
          headers: {'content-type': manifest.descriptor.mediaType},
        })
      expect([(await put('v1')).status, registry.tags('a/b')]).toEqual([400, []])
      expect(registry.violations.length).toBeGreaterThan(0)
      await addImage(registry, image, {repository: 'a/b'})
      const done = await put('v1')
      expect([done.status, done.headers['docker-content-digest']]).toEqual([
        201,
        image.root.descriptor.digest,
      ])
      expect(registry.fsck()).toEqual([])
      const [layer] = image.platforms[1]?.layers ?? []
      registry.loseBlob('a/b', layer?.descriptor.digest ?? digest)
      expect(registry.fsck()).toEqual([`a/b:v1: blob ${layer?.descriptor.digest} is missing`])
    }),
  )

  test(
    'come back byte for byte with their type, by tag and by digest, and to HEAD',
    withRegistry({}, async (registry, client) => {
      const image = await makeImage({seed: 'a', format: 'docker', annotations: {custom: 'kept'}})
      await addImage(registry, image, {repository: 'a/b', tag: 'v1'})
      const {bytes, descriptor} = image.root
      for (const reference of ['v1', descriptor.digest]) {
        const got = await client.send('GET', `/v2/a/b/manifests/${reference}`)
        expect([got.headers['content-type'], got.body.equals(bytes)]).toEqual([descriptor.mediaType, true])
        const head = await client.send('HEAD', `/v2/a/b/manifests/${reference}`)
        expect([head.headers['docker-content-digest'], head.headers['content-length']]).toEqual([
          descriptor.digest,
          String(bytes.length),
        ])
      }
      const asBlob = await client.send('HEAD', `/v2/a/b/blobs/${descriptor.digest}`)
      expect(asBlob.status).toBe(404)
    }),
  )

  test(
    'are refused with the wrong digest, the wrong type, broken JSON, or over 4 MiB',
    withRegistry({}, async (registry, client) => {
      const image = await makeImage({seed: 'a'})
      await addImage(registry, image, {repository: 'a/b'})
      const attempt = async (reference: string, body: Uint8Array, type = OCI): Promise<unknown> => {
        const answer = await client.send('PUT', `/v2/a/b/manifests/${reference}`, {
          body,
          headers: {'content-type': type},
        })
        return [answer.status, (answer.json() as {errors: {code: string}[]}).errors[0]?.code]
      }
      expect(await attempt(digest, image.root.bytes)).toEqual([400, 'DIGEST_INVALID'])
      const docker = 'application/vnd.docker.distribution.manifest.v2+json'
      expect(await attempt('v1', image.root.bytes, docker)).toEqual([400, 'MANIFEST_INVALID'])
      expect(await attempt('v1', Buffer.from('{'))).toEqual([400, 'MANIFEST_INVALID'])
      expect(await attempt('v1', Buffer.alloc(4 * 1024 * 1024 + 1, ' '))).toEqual([413, 'SIZE_INVALID'])
      expect(await attempt('-v1', image.root.bytes)).toEqual([400, 'TAG_INVALID'])
      expect(registry.tags('a/b')).toEqual([])
    }),
  )

  test(
    'with foreign layers, without layers, or as sparse indexes where that is allowed',
    withRegistry({missingContent: 'allow-index', strict: false}, async (registry, client) => {
      const config = await registry.addBlob('a/b', Buffer.from('{}'))
      const descriptor = {mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2}
      const foreign = {mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', digest, size: 5}
      const index = 'application/vnd.oci.image.index.v1+json'
      for (const [name, value] of [
        ['empty', {schemaVersion: 2, mediaType: OCI, config: descriptor, layers: []}],
        ['foreign', {schemaVersion: 2, mediaType: OCI, config: descriptor, layers: [foreign]}],
        ['sparse', {schemaVersion: 2, mediaType: index, manifests: [{mediaType: OCI, digest, size: 5}]}],
      ] as const) {
        const {bytes, descriptor: own} = makeManifest(value, {mediaType: value.mediaType})
        const put = await client.send('PUT', `/v2/a/b/manifests/${name}`, {
          body: bytes,
          headers: {'content-type': own.mediaType},
        })
        expect([name, put.status]).toEqual([name, 201])
      }
      expect(registry.fsck()).toEqual([`a/b:sparse: manifest ${digest} is missing`])
    }),
  )

  test(
    'are deleted by tag alone, or by digest with their tags',
    withRegistry({}, async (registry, client) => {
      const image = await makeImage({seed: 'a'})
      await addImage(registry, image, {repository: 'a/b', tag: 'v1'})
      await addImage(registry, image, {repository: 'a/b', tag: 'v2'})
      expect((await client.send('DELETE', '/v2/a/b/manifests/v1')).status).toBe(202)
      expect(registry.tags('a/b')).toEqual(['v2'])
      await client.send('DELETE', `/v2/a/b/manifests/${image.root.descriptor.digest}`)
      expect(registry.tags('a/b')).toEqual([])
      expect((await client.send('GET', '/v2/a/b/manifests/v2')).status).toBe(404)
    }),
  )

  test(
    'are deleted by digest alone where tags cannot be, or not at all',
    withRegistry({deletion: 'by-digest'}, async (registry, client) => {
      const image = await makeImage({seed: 'a'})
      await addImage(registry, image, {repository: 'a/b', tag: 'v1'})
      const path = `/v2/a/b/manifests/${image.root.descriptor.digest}`
      const byTag = await client.send('DELETE', '/v2/a/b/manifests/v1')
      expect([byTag.status, byTag.json()]).toMatchObject([400, {errors: [{code: 'DIGEST_INVALID'}]}])
      expect((await client.send('DELETE', path)).status).toBe(202)
      expect([registry.tags('a/b'), (await client.send('DELETE', path)).status]).toEqual([[], 404])
      await withRegistry({deletion: 'off'}, async (_registry, other) => {
        const refused = await other.send('DELETE', path)
        expect([refused.status, refused.json()]).toMatchObject([405, {errors: [{code: 'UNSUPPORTED'}]}])
      })()
    }),
  )

  test(
    'of Docker are refused by a registry for OCI alone, moved tags by one with immutable tags',
    withRegistry({manifestTypes: 'oci', immutableTags: true}, async (registry, client) => {
      const [docker, first, second] = await Promise.all([
        makeImage({seed: 'd', format: 'docker'}),
        makeImage({seed: '1'}),
        makeImage({seed: '2'}),
      ])
      await addImage(registry, docker, {repository: 'a/b'})
      await addImage(registry, first, {repository: 'a/b', tag: 'v1'})
      await addImage(registry, second, {repository: 'a/b'})
      const put = async ({root}: typeof docker): Promise<number> =>
        (
          await client.send('PUT', '/v2/a/b/manifests/v1', {
            body: root.bytes,
            headers: {'content-type': root.descriptor.mediaType},
          })
        ).status
      expect([await put(docker), await put(first), await put(second)]).toEqual([415, 201, 412])
    }),
  )
})

describe('lists', () => {
  test(
    'tags in pages, with a Link to the next one',
    withRegistry({maxPage: 2}, async (registry, client) => {
      const image = await makeImage({seed: 'a'})
      for (const tag of ['c', 'a', 'b']) await addImage(registry, image, {repository: 'a/b', tag})
      const first = await client.send('GET', '/v2/a/b/tags/list')
      expect(first.json()).toEqual({name: 'a/b', tags: ['a', 'b']})
      expect(first.headers['link']).toBe('</v2/a/b/tags/list?n=2&last=b>; rel="next"')
      const second = await client.send('GET', '/v2/a/b/tags/list?n=2&last=b')
      expect([second.json(), second.headers['link']]).toEqual([{name: 'a/b', tags: ['c']}, undefined])
      expect((await client.send('GET', '/v2/none/tags/list')).json()).toMatchObject({
        errors: [{code: 'NAME_UNKNOWN'}],
      })
    }),
  )

  test(
    'referrers by artifact type, even of a subject that is missing',
    withRegistry({}, async (registry, client) => {
      const subject = {mediaType: OCI, digest, size: 3}
      const image = await makeImage({seed: 's', subject, artifactType: 'application/x.signature', layers: 0})
      for (const {bytes} of image.blobs) await registry.addBlob('a/b', bytes)
      const put = await client.send('PUT', `/v2/a/b/manifests/${image.root.descriptor.digest}`, {
        body: image.root.bytes,
        headers: {'content-type': OCI},
      })
      expect(put.headers['oci-subject']).toBe(digest)
      const found = await client.send(
        'GET',
        `/v2/a/b/referrers/${digest}?artifactType=application/x.signature`,
      )
      expect(found.headers['oci-filters-applied']).toBe('artifactType')
      expect(found.json()).toMatchObject({manifests: [{digest: image.root.descriptor.digest}]})
      const none = await client.send('GET', `/v2/a/b/referrers/${digest}?artifactType=other`)
      expect([none.status, none.json()]).toMatchObject([200, {manifests: []}])
    }),
  )

  test(
    'no referrers where the API is off, and no OCI-Subject',
    withRegistry({referrers: false}, async (registry, client) => {
      expect((await client.send('GET', `/v2/a/b/referrers/${digest}`)).status).toBe(404)
      expect(registry.requests.map(({kind, status}) => [kind, status])).toEqual([['referrers', 404]])
    }),
  )
})

test(
  'only the projects there are can be pushed to',
  withRegistry({projects: ['team']}, async (_registry, client) => {
    expect((await client.send('POST', '/v2/team/a/blobs/uploads/')).status).toBe(202)
    const other = await client.send('POST', '/v2/other/a/blobs/uploads/')
    expect([other.status, other.json()]).toMatchObject([404, {errors: [{code: 'NAME_UNKNOWN'}]}])
    expect((await client.send('POST', '/v2/Team/blobs/uploads/')).json()).toMatchObject({
      errors: [{code: 'NAME_INVALID'}],
    })
  }),
)
