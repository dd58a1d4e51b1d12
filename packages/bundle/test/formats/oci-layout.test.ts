import {createHash} from 'node:crypto'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {errorOf, namesOf, openDirectory, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
import {blobEntry, descriptor, indexJson, OCI_LAYOUT, ociIndex, type Part} from '../fixtures/parts.js'
import {amd64, arm64, attestation, index} from '../fixtures/pause.js'

describe('OCI layouts of other tools', () => {
  const manifestType = mediaTypes.ociManifest
  const refName = (text: string) => ({annotations: {'org.opencontainers.image.ref.name': text}})
  const layout = (...manifests: readonly object[]) => [...amd64.blobs, indexJson(manifests), OCI_LAYOUT]

  test.each([
    ['a full name', 'registry.example/a/b:v1', 'registry.example/a/b:v1'],
    ['a name without a host', 'alpine:3', 'docker.io/library/alpine:3'],
    ['a bare tag', 'v1', '? v1'],
    ['a tag that is none', 'v1+build', '? v1+build'],
    ['a digest', amd64.manifest.digest, `? ${amd64.manifest.digest}`],
  ])('skopeo’s ref.name with %s', async (_what, text, expected) => {
    await using bundle = await openTar(layout(descriptor(manifestType, amd64.manifest, refName(text))))
    expect(namesOf(bundle.images)).toEqual([expected])
    expect(rootDigests(bundle.images)).toEqual([amd64.manifest.digest])
  })

  test('crane’s layout without annotations has an image without a name', async () => {
    await using bundle = await openTar(layout(descriptor(manifestType, amd64.manifest)))
    expect(namesOf(bundle.images)).toEqual(['? bundle'])
  })

  test('the source that containerd remembers is shown instead of a name', async () => {
    const annotations = {'containerd.io/distribution.source.ghcr.io': 'a/b,c/d'}
    await using bundle = await openTar(layout(descriptor(manifestType, amd64.manifest, {annotations})))
    expect(namesOf(bundle.images)).toEqual(['? ghcr.io/a/b'])
    const tagged = {annotations: {...annotations, ...refName('v1').annotations}}
    await using other = await openTar(layout(descriptor(manifestType, amd64.manifest, tagged)))
    expect(namesOf(other.images)).toEqual(['? ghcr.io/a/b:v1'])
  })

  test('children that ORAS lists beside their index are no images of their own', async () => {
    await using bundle = await openTar([
      ...amd64.blobs,
      ...arm64.blobs,
      blobEntry(attestation),
      blobEntry(index),
      indexJson([
        descriptor(manifestType, amd64.manifest),
        descriptor(manifestType, arm64.manifest),
        descriptor(mediaTypes.ociIndex, index, refName('registry.example/pause:3')),
      ]),
      OCI_LAYOUT,
    ])
    expect(namesOf(bundle.images)).toEqual(['registry.example/pause:3'])
  })

  test('an index inside an index is read whole', async () => {
    const outer = ociIndex([descriptor(mediaTypes.ociIndex, index)])
    await using bundle = await openTar([
      ...amd64.blobs,
      blobEntry(index),
      blobEntry(outer),
      indexJson([descriptor(mediaTypes.ociIndex, outer, refName('registry.example/pause:3'))]),
      OCI_LAYOUT,
    ])
    const [found] = bundle.images
    expect(found && (await readWhole(bundle.source, found))).toEqual(
      expect.arrayContaining([outer.digest, index.digest, amd64.manifest.digest]),
    )
  })

  test('a tag with the digest of another manifest keeps the tag and reports it', async () => {
    const name = `registry.example/a:v1@${index.digest}`
    await using bundle = await openTar(layout(descriptor(manifestType, amd64.manifest, refName(name))))
    expect(namesOf(bundle.images)).toEqual(['registry.example/a:v1'])
    expect(bundle.images[0]?.digestChanged).toContain(index.digest)
  })

  test('a sha512 blob is found and checked by it', async () => {
    const hex = createHash('sha512').update(amd64.manifest.bytes).digest('hex')
    const layout = (content: Uint8Array) => [
      {path: `blobs/sha512/${hex}`, content},
      indexJson([
        {...descriptor(manifestType, amd64.manifest, refName('a.example/b:c')), digest: `sha512:${hex}`},
      ]),
      OCI_LAYOUT,
    ]
    await using bundle = await openDirectory(layout(amd64.manifest.bytes))
    const root = bundle.images[0]?.root
    if (root === undefined || !('manifest' in root)) throw new Error('pending')
    expect((await bundle.source.manifest(root.manifest)).descriptor.digest).toBe(`sha512:${hex}`)
    const other = Buffer.from(amd64.manifest.bytes.toString().replace('schemaVersion', 'schemaVersioN'))
    await using lying = await openDirectory(layout(other))
    expect(await errorOf(lying.source.manifest(root.manifest))).toMatchObject({code: 'DIGEST_MISMATCH'})
  })
})

describe('damaged OCI layouts', () => {
  const refName = {annotations: {'org.opencontainers.image.ref.name': 'a.example/b:c'}}
  const root = (of: Part) => descriptor(mediaTypes.ociManifest, of, refName)

  test('a manifest with another digest than its name fails when it is read, and its bundle does not', async () => {
    const lie = {path: `blobs/sha256/${amd64.manifest.hex}`, content: arm64.manifest.bytes}
    await using bundle = await openTar([...arm64.blobs, lie, indexJson([root(amd64.manifest)]), OCI_LAYOUT])
    const found = bundle.images[0]?.root
    if (found === undefined || !('manifest' in found)) throw new Error('pending')
    expect(await errorOf(bundle.source.manifest(found.manifest))).toMatchObject({
      code: 'DIGEST_MISMATCH',
      side: 'source',
    })
  })

  test.each([
    ['a digest of another kind', {digest: 'md5:00', size: 1, mediaType: mediaTypes.ociManifest}],
    ['no size', {digest: amd64.manifest.digest, mediaType: mediaTypes.ociManifest}],
    ['a negative size', {digest: amd64.manifest.digest, size: -1, mediaType: mediaTypes.ociManifest}],
    ['a path instead of a digest', {digest: 'sha256:../../x', size: 1, mediaType: 'a/b'}],
  ])('a descriptor in index.json with %s is refused', async (_what, entry) => {
    const error = await errorOf(openTar([...amd64.blobs, indexJson([entry]), OCI_LAYOUT]))
    expect(error).toMatchObject({code: 'MANIFEST_INVALID', side: 'source'})
    expect(error.message).toContain('index.json')
  })

  test('an index.json that is null or has no manifests is refused', async () => {
    for (const content of ['null', '{}', '{"manifests": null}', '{"manifests": []}']) {
      const error = await errorOf(openTar([...amd64.blobs, {path: 'index.json', content}, OCI_LAYOUT]))
      expect(['MANIFEST_INVALID', 'SOURCE_EMPTY']).toContain(error.code)
    }
  })

  test('a manifest of 100 MB is refused without reading it', async () => {
    const huge = Buffer.alloc(100_000_000, ' ')
    const digest = amd64.manifest
    await using bundle = await openTar([
      {path: `blobs/sha256/${digest.hex}`, content: huge},
      indexJson([{...root(digest), size: huge.length}]),
      OCI_LAYOUT,
    ])
    const found = bundle.images[0]?.root
    if (found === undefined || !('manifest' in found)) throw new Error('pending')
    expect(await errorOf(bundle.source.manifest(found.manifest))).toMatchObject({code: 'LIMIT_EXCEEDED'})
  })
})
