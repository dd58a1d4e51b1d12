import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {literalTar, type LiteralEntry} from '../fixtures/literal-tar.js'
import {namesOf, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  image,
  indexJson,
  json,
  OCI_LAYOUT,
  ociManifest,
  part,
  type Part,
} from '../fixtures/parts.js'

const app = image('app')

describe('hauler hauls', () => {
  const signature = ociManifest({config: config(), layers: [part('signature')]})
  const attestation = ociManifest({config: config(), layers: [part('attestation')]})
  const referrer = ociManifest({
    config: config(),
    layers: [part('referrer')],
    more: {subject: descriptor(mediaTypes.ociManifest, app.manifest)},
  })
  const chart = ociManifest({
    config: config(),
    layers: [part('chart')],
    layerType: 'application/vnd.cncf.helm',
  })
  const entry = (of: Part, kind: string, name = 'ghcr.io/acme/app:v1') =>
    descriptor(mediaTypes.ociManifest, of, {
      annotations: {
        kind,
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice('ghcr.io/'.length),
      },
    })
  const haul = (): readonly LiteralEntry[] => [
    ...app.blobs,
    ...[signature, attestation, referrer, chart].map((of) => blobEntry(of)),
    indexJson([
      // Signatures first: their image comes later in the list.
      entry(signature, 'dev.hauler/sigs'),
      entry(app.manifest, 'dev.hauler/image'),
      entry(attestation, 'dev.hauler/atts'),
      entry(referrer, `dev.hauler/referrers/${app.manifest.hex}`),
      entry(chart, 'dev.hauler/image', 'ghcr.io/hauler/chart:1.0.0'),
    ]),
    json('manifest.json', [
      {
        Config: `blobs/sha256/${app.config.hex}`,
        RepoTags: ['ghcr.io/acme/app:v1'],
        Layers: app.packed.map(({hex}) => `blobs/sha256/${hex}`),
      },
    ]),
    OCI_LAYOUT,
  ]
  const expected = [
    `ghcr.io/acme/app:sha256-${app.manifest.hex}.sig`,
    'ghcr.io/acme/app:v1',
    `ghcr.io/acme/app:sha256-${app.manifest.hex}.att`,
    '? ghcr.io/acme/app:v1',
    'ghcr.io/hauler/chart:1.0.0',
  ]

  test('signatures and attestations get cosign’s tags, referrers their subject', async () => {
    await using bundle = await openTar(haul())
    expect(namesOf(bundle.images)).toEqual(expected)
    expect(rootDigests(bundle.images)).toEqual(
      [signature, app.manifest, attestation, referrer, chart].map(({digest}) => digest),
    )
    expect(bundle.images[3]?.subject).toBe(app.manifest.digest)
  })

  test('a haul for containerd, without oci-layout, is the same', async () => {
    await using bundle = await openTar(haul().filter(({path}) => path !== 'oci-layout'))
    expect(namesOf(bundle.images)).toEqual(expected)
    expect(bundle.source.description.format).toBe('oci-layout')
  })

  test('its original-ref gives a name if containerd’s annotation does not', async () => {
    const annotations = {kind: 'dev.hauler/image', 'hauler.dev/original-ref': 'quay.io/a/b:c'}
    await using bundle = await openTar([
      ...app.blobs,
      indexJson([descriptor(mediaTypes.ociManifest, app.manifest, {annotations})]),
      OCI_LAYOUT,
    ])
    expect(namesOf(bundle.images)).toEqual(['quay.io/a/b:c'])
  })
})

describe('zarf packages', () => {
  const under = (entries: readonly LiteralEntry[]) =>
    entries.map((entry) => ({...entry, path: `images/${entry.path}`}))
  const zarf = (annotations: object): readonly LiteralEntry[] => [
    {path: 'checksums.txt', content: 'sums'},
    {path: 'components/base.tar', content: literalTar([json('manifest.json', {name: 'a web app'})])},
    ...under([
      ...app.blobs,
      indexJson([descriptor(mediaTypes.ociManifest, app.manifest, {annotations})]),
      OCI_LAYOUT,
    ]),
    {path: 'sboms.tar', content: literalTar([{path: 'sbom.html', content: '<html>'}])},
    {path: 'zarf.yaml', content: 'kind: ZarfPackageConfig\n'},
  ]

  test.each([
    ['base.name', {'org.opencontainers.image.base.name': 'ghcr.io/stefanprodan/podinfo:6.4.0'}],
    ['ref.name', {'org.opencontainers.image.ref.name': 'ghcr.io/stefanprodan/podinfo:6.4.0'}],
  ])('images below images/ are named by %s', async (_what, annotations) => {
    await using bundle = await openTar(zarf(annotations))
    expect(namesOf(bundle.images)).toEqual(['ghcr.io/stefanprodan/podinfo:6.4.0'])
    expect(bundle.source.description).toMatchObject({
      format: 'nested',
      parts: [{path: 'images', format: 'oci-layout', images: 1}],
    })
    const [found] = bundle.images
    expect(found && (await readWhole(bundle.source, found))).toContain(app.packed[0]?.digest)
  })

  test('base.name means the base image everywhere else', async () => {
    const annotations = {'org.opencontainers.image.base.name': 'docker.io/library/alpine:3'}
    await using bundle = await openTar([
      ...app.blobs,
      indexJson([descriptor(mediaTypes.ociManifest, app.manifest, {annotations})]),
      OCI_LAYOUT,
    ])
    expect(bundle.images[0]).not.toHaveProperty('name')
  })
})
