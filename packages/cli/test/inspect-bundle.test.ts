import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {inspectEntries, inspectPath, imageIn, named, warned} from './inspect-kit.js'
import {dockerArchive, makeImage, makeLayers, ociLayout, tarBytes, type Entry} from '@airgap-mirror/test/kit'

const inputs = join(import.meta.dirname, '../../../test/inputs')

function sizeOf(blobs: readonly {readonly descriptor: {readonly size: number}}[]): number {
  return blobs.reduce((sum, {descriptor}) => sum + descriptor.size, 0)
}

/** Entries without those that end like this. */
function without(entries: readonly Entry[], ending: string): readonly Entry[] {
  return entries.filter(({path}) => !path.endsWith(ending))
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** The same manifest with another digit in it. */
function spoilt(entry: Entry): Entry {
  if (!('bytes' in entry)) throw new Error(`${entry.path} is no file`)
  return {path: entry.path, bytes: Buffer.from(Buffer.from(entry.bytes).toString().replace('2', '3'))}
}

describe('sizes', () => {
  test('content that two images have is shared, and everything else is their own', async () => {
    const base = await makeLayers({seed: 'inspect-base', layers: 3})
    const app = await makeImage({seed: 'inspect-app', base})
    const tool = await makeImage({seed: 'inspect-tool', base})
    const inspection = await inspectEntries(
      ociLayout([named('quay.io/a/app:v1', app), named('quay.io/a/tool:v1', tool)]),
    )
    const whole = sizeOf(app.blobs) + app.root.descriptor.size
    expect(imageIn(inspection, 'quay.io/a/app:v1').bytes).toEqual({
      total: whole,
      own: whole - sizeOf(base),
      shared: sizeOf(base),
      plain: 0,
      leftOut: 0,
      missing: 0,
    })
    expect(inspection.totals).toMatchObject({
      images: 2,
      manifests: 2,
      blobs: new Set([...app.blobs, ...tool.blobs].map(({descriptor}) => descriptor.digest)).size,
      contentBytes: whole + sizeOf(tool.blobs) + tool.root.descriptor.size - sizeOf(base),
    })
  })

  test('two names of one image share nothing', async () => {
    const image = await makeImage({seed: 'inspect-names'})
    const {images} = await inspectEntries(
      ociLayout([named('quay.io/a/b:v1', image), named('quay.io/a/b:v2', image)]),
    )
    expect(images.map(({bytes}) => bytes.shared)).toEqual([0, 0])
  })

  test('layers that a docker-archive holds uncompressed are counted as plain', async () => {
    const image = await makeImage({seed: 'inspect-plain'})
    const inspection = await inspectEntries(dockerArchive([{image, tags: ['team/app:v1']}]))
    const [platform] = image.platforms
    const plain = platform?.layers.reduce((sum, layer) => sum + layer.plain.length, 0)
    const found = imageIn(inspection, 'docker.io/team/app:v1')
    expect(found).toMatchObject({
      id: platform?.config.descriptor.digest,
      bytes: {plain},
      platforms: [{platform: 'linux/amd64', present: true, layers: 2}],
      digestChanges: expect.stringContaining('does not hold the manifest') as string,
    })
    expect(found?.digest).toBeUndefined()
    expect(inspection.bundle).toMatchObject({format: 'docker-archive', producer: 'containers-image'})
    expect(warned(inspection)).toMatchObject({DIGEST_CHANGES: ['docker.io/team/app:v1']})
  })
})

describe('platforms', () => {
  test('those that an index lists and the bundle lacks are absent, and a warning names the image', async () => {
    const image = await makeImage({seed: 'inspect-sparse', platforms: ['linux/amd64', 'linux/arm/v7']})
    const inspection = await inspectEntries(
      ociLayout([named('quay.io/a/b:v1', image, (platform) => platform === image.platforms[0])]),
    )
    const found = imageIn(inspection, 'quay.io/a/b:v1')
    expect(found.platforms.map(({platform, present}) => [platform, present])).toEqual([
      ['linux/amd64', true],
      ['linux/arm/v7', false],
    ])
    expect(found.status).toBe('ok')
    expect(inspection.totals.platforms).toEqual(['linux/amd64'])
    expect(warned(inspection)).toMatchObject({PLATFORM_MISSING: ['quay.io/a/b:v1']})
  })

  test('attestations of BuildKit inside an index are referrers, and no platforms', async () => {
    const inspection = await inspectPath(join(inputs, 'buildx-attestations.tar'))
    const [image] = inspection.images
    expect(image?.platforms.map(({platform}) => platform)).toEqual(['linux/amd64', 'linux/arm64'])
    expect(image?.referrers.map(({kind}) => kind)).toEqual(['attestation', 'attestation'])
  })
})

describe('referrers', () => {
  test('are counted by kind, and those of referrers with them', async () => {
    const app = await makeImage({seed: 'inspect-referred', platforms: ['linux/amd64', 'linux/arm64']})
    const referring = (seed: string, artifactType: string, subject = app.root.descriptor) =>
      makeImage({seed, layers: 1, artifactType, subject})
    const sbom = await referring('inspect-sbom', 'application/spdx+json')
    const provenance = await referring('inspect-slsa', 'application/vnd.in-toto+json')
    const signature = await referring(
      'inspect-sig',
      'application/vnd.dev.cosign.artifact.sig.v1+json',
      sbom.root.descriptor,
    )
    const notes = await referring('inspect-notes', 'text/markdown')
    const tagged = await makeImage({seed: 'inspect-tagged', layers: 1})
    const [arm] = app.platforms.slice(1)
    const inspection = await inspectEntries(
      ociLayout([
        named('quay.io/a/b:v1', app),
        ...[sbom, provenance, signature, notes].map((image) => ({image})),
        named(`quay.io/a/b:sha256-${hexOf(arm?.manifest.descriptor.digest ?? '')}.sig`, tagged),
      ]),
    )
    expect(inspection.totals.referrers).toEqual({signature: 2, attestation: 1, sbom: 1, other: 1})
    expect(inspection.totals).toMatchObject({images: 1, signed: 1})
    expect(inspection.images[0]?.referrers).toContainEqual({
      kind: 'sbom',
      type: 'application/spdx+json',
      digest: sbom.root.descriptor.digest,
      subject: app.root.descriptor.digest,
      bytes: sizeOf(sbom.blobs) + sbom.root.descriptor.size,
    })
    expect(warned(inspection)).not.toHaveProperty('UNSIGNED')
  })

  test('that lack content are told, and such a signature counts as none', async () => {
    const image = await makeImage({seed: 'inspect-half-signed'})
    const signature = await makeImage({
      seed: 'inspect-half',
      layers: 1,
      subject: image.root.descriptor,
      artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
    })
    const lost = signature.platforms[0]?.layers[0]?.descriptor.digest.slice('sha256:'.length) ?? ''
    const whole = ociLayout([named('quay.io/a/half:v1', image), {image: signature}])
    expect(warned(await inspectEntries(whole))).not.toHaveProperty('UNSIGNED')
    const inspection = await inspectEntries(whole.filter(({path}) => !path.endsWith(lost)))
    expect(inspection.totals.signed).toBe(0)
    expect(inspection.images[0]?.referrers).toMatchObject([{kind: 'signature', incomplete: true}])
    expect(Object.keys(warned(inspection))).toEqual(['UNSIGNED', 'REFERRER_INCOMPLETE'])
  })

  test('of an image that is not there are told apart', async () => {
    const absent = await makeImage({seed: 'inspect-absent'})
    const image = await makeImage({seed: 'inspect-other'})
    const orphan = await makeImage({
      seed: 'inspect-orphan',
      layers: 1,
      subject: absent.root.descriptor,
      artifactType: 'application/vnd.cyclonedx+json',
    })
    const inspection = await inspectEntries(ociLayout([named('quay.io/a/b:v1', image), {image: orphan}]))
    expect(inspection.orphans).toMatchObject([{kind: 'sbom', subject: absent.root.descriptor.digest}])
    expect(warned(inspection)).toHaveProperty('ORPHAN_REFERRER')
  })
})

describe('damage', () => {
  test('an image without one of its layers is incomplete, and the others are ok', async () => {
    const lacking = await makeImage({seed: 'inspect-lacking'})
    const whole = await makeImage({seed: 'inspect-whole'})
    const layer = lacking.platforms[0]?.layers[0]?.descriptor
    const inspection = await inspectEntries(
      without(
        ociLayout([named('quay.io/a/lacking:v1', lacking), named('quay.io/a/whole:v1', whole)]),
        hexOf(layer?.digest ?? ''),
      ),
    )
    expect(inspection.images.map(({status}) => status)).toEqual(['incomplete', 'ok'])
    expect(inspection.images[0]?.bytes.missing).toBe(layer?.size)
    expect(inspection.totals.damaged).toBe(1)
    expect(warned(inspection)).toMatchObject({CONTENT_MISSING: ['quay.io/a/lacking:v1']})
  })

  test('an image whose manifest has another digest is damaged, with the error', async () => {
    const broken = await makeImage({seed: 'inspect-broken'})
    const whole = await makeImage({seed: 'inspect-beside'})
    const hex = hexOf(broken.root.descriptor.digest)
    const entries = ociLayout([named('quay.io/a/broken:v1', broken), named('quay.io/a/whole:v1', whole)])
    const inspection = await inspectEntries(
      entries.map((entry) => (entry.path.endsWith(hex) ? spoilt(entry) : entry)),
    )
    expect(inspection.images.map(({status, kind}) => [status, kind])).toEqual([
      ['damaged', 'unreadable'],
      ['ok', 'image'],
    ])
    expect(inspection.images[0]?.error).toMatchObject({code: 'DIGEST_MISMATCH'})
    expect(inspection.error).toBeUndefined()
  })
})

describe('the form of a bundle', () => {
  test('an archive without images has its entries and the reason', async () => {
    const inspection = await inspectEntries([
      {path: 'README', bytes: Buffer.from('text')},
      {path: 'bin/tool', bytes: Buffer.from('tool')},
    ])
    expect(inspection.error).toMatchObject({code: 'SOURCE_UNKNOWN'})
    expect(inspection.bundle.entries).toMatchObject({
      count: 2,
      first: [
        {path: 'README', kind: 'file', bytes: 4},
        {path: 'bin/tool', kind: 'file', bytes: 4},
      ],
    })
  })

  test('an archive of archives has its parts with their formats', async () => {
    const image = await makeImage({seed: 'inspect-nested'})
    const layout = await tarBytes(ociLayout([named('quay.io/a/b:v1', image)]))
    const archive = await tarBytes(dockerArchive([{image, tags: ['team/app:v1']}]))
    const inspection = await inspectEntries([
      {path: 'layout.tar', bytes: layout},
      {path: 'archive.tar', bytes: archive},
    ])
    expect(inspection.bundle).toMatchObject({
      format: 'nested',
      parts: [
        {path: 'layout.tar', format: 'oci-layout', producer: 'own', images: 1},
        {path: 'archive.tar', format: 'docker-archive', producer: 'containers-image', images: 1},
      ],
    })
  })

  test('the blocks of xz are counted', async () => {
    const image = await makeImage({seed: 'inspect-blocks'})
    const entries = ociLayout([named('quay.io/a/b:v1', image)])
    const {bundle} = await inspectEntries(entries, {type: 'xz', blockSize: 4 * 1024})
    const {length} = await tarBytes(entries)
    expect(bundle.plainBytes).toBe(length)
    expect(bundle.compression).toEqual({
      codec: 'xz',
      blocks: Math.ceil(length / (4 * 1024)),
      largestBlock: 4 * 1024,
    })
  })
})

test('tags without a number and tags such as latest are warned of, and digests are not', async () => {
  const image = await makeImage({seed: 'inspect-tags'})
  const {digest} = image.root.descriptor
  const names = ['v1', 'latest', 'alpine', '1.2-latest', '3.20', `v1@${digest}`]
  const inspection = await inspectEntries(ociLayout(names.map((tag) => named(`quay.io/a/b:${tag}`, image))))
  expect(warned(inspection)['MUTABLE_TAG']).toEqual(
    ['latest', 'alpine', '1.2-latest'].map((tag) => `quay.io/a/b:${tag}`),
  )
})
