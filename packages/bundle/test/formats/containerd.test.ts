import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {errorOf, namesOf, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
import {amd64, arm64, attestation, index} from '../fixtures/pause.js'
import {
  blobEntry,
  config,
  descriptor,
  indexJson,
  json,
  OCI_LAYOUT,
  ociManifest,
  part,
  type Part,
} from '../fixtures/parts.js'

function named(name: string, tag: string, of: Part = index, type: string = mediaTypes.ociIndex) {
  return descriptor(type, of, {
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': tag,
      'containerd.io/distribution.source.docker.io': 'rancher/mirrored-pause',
    },
  })
}

/** `ctr images export --platform linux/amd64`, as k3s makes its airgap archives: the index names missing children. */
function k3s(): readonly LiteralEntry[] {
  return [
    {path: 'blobs/', type: '5'},
    {path: 'blobs/sha256/', type: '5'},
    ...amd64.blobs,
    blobEntry(index),
    indexJson([named('docker.io/rancher/mirrored-pause:3.6', '3.6')]),
    json('manifest.json', [
      {
        Config: `blobs/sha256/${amd64.config.hex}`,
        RepoTags: ['rancher/mirrored-pause:3.6'],
        Layers: amd64.packed.map(({hex}) => `blobs/sha256/${hex}`),
      },
    ]),
    OCI_LAYOUT,
  ]
}

describe('ctr images export, as k3s uses it', () => {
  test('opens a sparse index and lists the children it has', async () => {
    await using bundle = await openTar(k3s())
    expect(namesOf(bundle.images)).toEqual(['docker.io/rancher/mirrored-pause:3.6'])
    expect(rootDigests(bundle.images)).toEqual([index.digest])
    expect(bundle.images[0]?.digestChanged).toBeUndefined()
    const root = bundle.images[0]?.root
    if (root === undefined || !('manifest' in root)) throw new Error('pending')
    const manifest = await bundle.source.manifest(root.manifest)
    expect(Buffer.from(manifest.bytes).equals(index.bytes)).toBe(true)
    if (manifest.kind !== 'index') throw new Error('no index')
    expect(manifest.children.map((child) => bundle.source.has(child))).toEqual([true, false, false])
    const [, absent] = manifest.children
    if (absent === undefined) throw new Error('no child')
    expect(await errorOf(bundle.source.manifest(absent))).toMatchObject({
      code: 'BLOB_MISSING',
      side: 'source',
      message: expect.stringContaining(arm64.manifest.digest) as string,
    })
    expect(() => bundle.source.blob(absent)).toThrow(expect.objectContaining({code: 'BLOB_MISSING'}))
  })

  test('gives the exact bytes of the content it has', async () => {
    await using bundle = await openTar(k3s())
    const [found] = bundle.images
    expect(found && new Set(await readWhole(bundle.source, found))).toEqual(
      new Set([index, amd64.manifest, amd64.config, ...amd64.packed].map(({digest}) => digest)),
    )
  })
})

describe('containerd, nerdctl and buildkit exports', () => {
  test('all platforms and attestations of an index are there, under each of its names', async () => {
    await using bundle = await openTar([
      ...amd64.blobs,
      ...arm64.blobs,
      blobEntry(attestation),
      blobEntry(index),
      indexJson([
        named('docker.io/library/one:1', '1'),
        named('ghcr.io/two:2', '2'),
        named(`quay.io/three@${index.digest}`, `quay.io/three@${index.digest}`),
      ]),
      OCI_LAYOUT,
    ])
    expect(namesOf(bundle.images)).toEqual([
      'docker.io/library/one:1',
      'ghcr.io/two:2',
      `quay.io/three@${index.digest}`,
    ])
    expect(new Set(rootDigests(bundle.images))).toEqual(new Set([index.digest]))
    const root = bundle.images[0]?.root
    if (root === undefined || !('manifest' in root)) throw new Error('pending')
    const manifest = await bundle.source.manifest(root.manifest)
    expect(manifest.kind === 'index' && manifest.children.every((child) => bundle.source.has(child))).toBe(
      true,
    )
  })

  test('a nameless descriptor with a subject annotation is a referrer, as docker’s containerd store saves it', async () => {
    const signature = ociManifest({
      config: config(),
      layers: [part('signature')],
      more: {subject: descriptor(mediaTypes.ociIndex, index)},
    })
    await using bundle = await openTar([
      ...amd64.blobs,
      blobEntry(index),
      blobEntry(signature),
      indexJson([
        named('docker.io/library/one:1', '1'),
        descriptor(mediaTypes.ociManifest, signature, {
          annotations: {'io.containerd.manifest.subject': index.digest},
        }),
      ]),
      OCI_LAYOUT,
    ])
    expect(bundle.images[1]).toMatchObject({
      subject: index.digest,
      root: {manifest: {digest: signature.digest}},
    })
    expect(bundle.images[1]).not.toHaveProperty('name')
  })

  test('a nameless manifest with a subject of its own is a referrer too', async () => {
    const sbom = ociManifest({
      config: config(),
      layers: [part('sbom')],
      more: {subject: descriptor(mediaTypes.ociManifest, amd64.manifest)},
    })
    await using bundle = await openTar([
      ...amd64.blobs,
      blobEntry(sbom),
      indexJson([
        named('docker.io/library/one:1', '1', amd64.manifest, mediaTypes.ociManifest),
        descriptor(mediaTypes.ociManifest, sbom),
      ]),
      OCI_LAYOUT,
    ])
    expect(bundle.images.map(({subject}) => subject)).toEqual([undefined, amd64.manifest.digest])
  })

  test('a manifest with a subject, named by its digest as a kept registry names it, is a referrer if its subject is there', async () => {
    const sbom = ociManifest({
      config: config(),
      layers: [part('sbom')],
      more: {subject: descriptor(mediaTypes.ociManifest, amd64.manifest)},
    })
    const name = `docker.io/library/one@${sbom.digest}`
    const entries = [blobEntry(sbom), OCI_LAYOUT]
    const entry = named(name, name, sbom, mediaTypes.ociManifest)
    await using bundle = await openTar([
      ...amd64.blobs,
      ...entries,
      indexJson([named('docker.io/library/one:1', '1', amd64.manifest, mediaTypes.ociManifest), entry]),
    ])
    expect(bundle.images.map(({subject}) => subject)).toEqual([undefined, amd64.manifest.digest])
    await using alone = await openTar([...entries, indexJson([entry])])
    expect(namesOf(alone.images)).toEqual([name])
  })

  test('cosign’s tags are images of their own', async () => {
    const tag = `sha256-${amd64.manifest.hex}.sig`
    const signature = ociManifest({config: config(), layers: [part('signature')]})
    await using bundle = await openTar([
      ...amd64.blobs,
      blobEntry(signature),
      indexJson([
        named('ghcr.io/a/b:1', '1', amd64.manifest, mediaTypes.ociManifest),
        named(`ghcr.io/a/b:${tag}`, tag, signature, mediaTypes.ociManifest),
      ]),
      OCI_LAYOUT,
    ])
    expect(namesOf(bundle.images)).toEqual(['ghcr.io/a/b:1', `ghcr.io/a/b:${tag}`])
  })
})
