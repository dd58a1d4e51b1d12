import {mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {parseImageList} from '#src/names/image-list.js'
import type {Choice} from '#src/engine/select.js'
import type {SparsePolicy} from '#src/engine/sparse.js'
import {MemorySource} from '@airgap-mirror/test/kit'
import {amd64, arm64, layer, planOf, shown} from './plan-kit.js'

describe('a plan', () => {
  it('sends each blob once, mounts it elsewhere, and puts tags after everything they need', async () => {
    const source = new MemorySource()
    const base = layer(source, 'base')
    source.image('gcr.io/a/one:v1', source.manifestOf([base, layer(source, 'one')]))
    source.image('gcr.io/a/two:v1', source.manifestOf([base]))
    expect(shown(await planOf(source))).toEqual([
      '0 blob ns/a/one',
      '1 blob ns/a/one',
      '2 blob ns/a/one',
      '3 manifest reg:5000/ns/a/one:v1 needs 0,1,2',
      '4 blob ns/a/two after 0',
      '5 blob ns/a/two after 1',
      '6 manifest reg:5000/ns/a/two:v1 needs 4,5',
    ])
  })

  it('puts the platforms of an index by digest, before the index', async () => {
    const source = new MemorySource()
    const one = source.manifestOf([layer(source, 'a')], {platform: 'amd64'})
    const other = source.manifestOf([layer(source, 'b')], {platform: 'arm64'})
    source.image(
      'gcr.io/multi:v1',
      source.indexOf([
        [one, amd64],
        [other, arm64],
      ]),
    )
    const plan = await planOf(source)
    expect(shown(plan).slice(-1)).toEqual(['6 manifest reg:5000/ns/multi:v1 needs 2,5'])
    expect(plan.images[0]).toMatchObject({status: 'planned', sourceDigest: plan.images[0]?.targetDigest})
  })

  it('does nothing for a tag that already names the image', async () => {
    const source = new MemorySource()
    const manifest = source.manifestOf([layer(source, 'a')])
    source.image('gcr.io/a:v1', manifest)
    const plan = await planOf(source, {present: {'reg:5000/ns/a:v1': manifest.digest}})
    expect(plan.transfers).toEqual([])
    expect(plan.images).toMatchObject([{status: 'present', targetDigest: manifest.digest}])
  })

  it('mends an index below its tag if the target lacks a part, and sets no tag again', async () => {
    const source = new MemorySource()
    const one = source.manifestOf([layer(source, 'a')], {platform: 'amd64'})
    const index = source.indexOf([[one, amd64]])
    source.image('gcr.io/multi:v1', index)
    const plan = await planOf(source, {
      present: {'reg:5000/ns/multi:v1': index.digest},
      lost: [`ns/multi@${one.digest}`, `ns/multi@${index.digest}`],
    })
    const short = ({digest}: Descriptor): string => digest.slice('sha256:'.length).slice(0, 6)
    expect(shown(plan)).toEqual([
      '0 blob ns/multi',
      '1 blob ns/multi',
      `2 manifest reg:5000/ns/multi@${short(one)} needs 0,1`,
      `3 manifest reg:5000/ns/multi@${short(index)} needs 2`,
    ])
    expect(plan.images).toMatchObject([{status: 'planned', targetDigest: index.digest}])
  })

  it('pushes an image once for two names of the same tag, and refuses two images for one', async () => {
    const source = new MemorySource()
    const manifest = source.manifestOf([layer(source, 'a')])
    source.image('gcr.io/a:v1', manifest)
    source.image('quay.io/a:v1', manifest)
    expect(shown(await planOf(source))).toHaveLength(3)
    source.image('ghcr.io/a:v1', source.manifestOf([layer(source, 'b')]))
    await expect(planOf(source)).rejects.toMatchObject({
      code: 'NAME_COLLISION',
      message: expect.stringMatching(/reg:5000\/ns\/a:v1: gcr\.io\/a:v1 .* and ghcr\.io\/a:v1/),
    })
  })

  it('takes a referrer into every repository of its subject, and referrers of referrers too', async () => {
    const source = new MemorySource()
    const manifest = source.manifestOf([layer(source, 'a')])
    source.image('gcr.io/a:v1', manifest)
    source.image('gcr.io/b:v1', manifest)
    const sbom = source.manifestOf([layer(source, 'sbom')], {subject: manifest})
    const signature = source.manifestOf([layer(source, 'signature')], {subject: sbom})
    source.image(undefined, sbom, {subject: manifest.digest})
    source.image(undefined, signature, {subject: sbom.digest})
    const targets = (await planOf(source)).images.map(({target}) => target)
    expect(targets).toEqual([
      'reg:5000/ns/a:v1',
      'reg:5000/ns/b:v1',
      ...[sbom, signature].flatMap(({digest}) => [`reg:5000/ns/a@${digest}`, `reg:5000/ns/b@${digest}`]),
    ])
    expect((await planOf(source, {choice: {referrers: false}})).images).toHaveLength(2)
  })

  it('fails the one image whose blob neither the bundle nor the registry has', async () => {
    const source = new MemorySource()
    const lost = source.add('lost', mediaTypes.ociLayerGzip, {absent: true})
    source.image('gcr.io/broken:v1', source.manifestOf([lost]))
    source.image('gcr.io/whole:v1', source.manifestOf([layer(source, 'a')]))
    const plan = await planOf(source)
    expect(plan.images).toMatchObject([
      {status: 'failed', error: {code: 'BLOB_MISSING'}},
      {status: 'planned'},
    ])
    const mended = await planOf(source, {found: [`ns/broken@${lost.digest}`]})
    expect(mended.images.map(({status}) => status)).toEqual(['planned', 'planned'])
  })

  it('leaves foreign layers where they are, unless the bundle holds them', async () => {
    const source = new MemorySource()
    const foreign = source.add('windows', `${mediaTypes.dockerForeignLayer}.gzip`, {absent: true})
    source.image('gcr.io/windows:v1', source.manifestOf([foreign]))
    expect(shown(await planOf(source))).toHaveLength(2)
    source.add('windows', `${mediaTypes.dockerForeignLayer}.gzip`)
    expect(shown(await planOf(source))).toHaveLength(3)
  })
})

describe('an index whose children are not all there', () => {
  const sparse = (present: 1 | 2): MemorySource => {
    const source = new MemorySource()
    const there = source.manifestOf([layer(source, 'a')])
    const also = source.manifestOf([layer(source, 'b')], {absent: present < 2})
    const absent = source.manifestOf([layer(source, 'c')], {absent: true})
    source.image(
      'gcr.io/k3s:v1',
      source.indexOf([
        [there, amd64],
        [also, arm64],
        [absent, {os: 'linux', architecture: 's390x'}],
      ]),
    )
    return source
  }

  it('auto: goes as it is, with its one platform ready to stand in', async () => {
    const [image, tag] = await rootOf(sparse(1), 'auto')
    expect(tag).toMatchObject({
      digest: image?.sourceDigest,
      fallback: {reason: expect.stringContaining('linux/amd64')},
    })
  })

  it('as-is: goes as it is, whatever the registry says', async () => {
    const [image, tag] = await rootOf(sparse(1), 'as-is')
    expect(tag).toMatchObject({digest: image?.sourceDigest})
    expect(tag?.fallback).toBeUndefined()
  })

  it('platform: the tag names the one platform, and the digest is said to change', async () => {
    const [image, tag] = await rootOf(sparse(1), 'platform')
    expect(image?.digestChanged).toContain('linux/amd64')
    expect(tag?.digest).not.toBe(image?.sourceDigest)
    expect((await planOf(sparse(2), {sparse: 'platform'})).images).toMatchObject([
      {error: {code: 'INDEX_SPARSE'}},
    ])
  })

  it('prune: an index of what is there, the same bytes every time', async () => {
    const [image, tag] = await rootOf(sparse(2), 'prune')
    expect(image?.digestChanged).toContain('2 of its manifests')
    expect(tag?.digest).toBe((await rootOf(sparse(2), 'prune'))[1]?.digest)
  })

  it('strict: fails, naming what is lacking', async () => {
    const {images} = await planOf(sparse(2), {sparse: 'strict'})
    expect(images).toMatchObject([
      {status: 'failed', error: {code: 'INDEX_SPARSE', message: expect.stringContaining('linux/s390x')}},
    ])
  })

  it('--platform makes an index sparse, and keeps what buildkit attests of the chosen platform', async () => {
    const source = new MemorySource()
    const one = source.manifestOf([layer(source, 'a')])
    const other = source.manifestOf([layer(source, 'b')], {platform: 'arm64'})
    const about = (image: Descriptor): Descriptor => ({
      ...source.manifestOf([layer(source, `attests ${image.digest}`)]),
      annotations: {'vnd.docker.reference.digest': image.digest},
    })
    const unknown = {os: 'unknown', architecture: 'unknown'}
    source.image(
      'gcr.io/m:v1',
      source.indexOf([
        [one, amd64],
        [other, arm64],
        [about(one), unknown],
        [about(other), unknown],
      ]),
    )
    const plan = await planOf(source, {platforms: ['linux/amd64'], sparse: 'prune'})
    expect(plan.images[0]?.digestChanged).toContain('2 of its manifests')
  })

  const rootOf = async (source: MemorySource, policy: SparsePolicy) => {
    const plan = await planOf(source, {sparse: policy})
    const [image] = plan.images
    const transfer = plan.transfers[image?.root ?? -1]
    return [image, transfer?.kind === 'manifest' ? transfer : undefined] as const
  }
})

describe('the choice of images', () => {
  const bundle = (): MemorySource => {
    const source = new MemorySource()
    const one = source.manifestOf([layer(source, 'one')])
    source.image('docker.io/rancher/one:v1', one)
    source.image('docker.io/rancher/two:v1', source.manifestOf([layer(source, 'two')]))
    const tag = `sha256-${one.digest.slice(7)}.sig`
    source.image(`docker.io/rancher/one:${tag}`, source.manifestOf([layer(source, 'signature')]))
    return source
  }
  const names = async (choice: Partial<Choice>): Promise<readonly string[]> =>
    (await planOf(bundle(), {choice})).images.map(({source}) => source.replace(/sha256-.*\./, 'sha256-….'))

  it('a list chooses by name, and signatures come along', async () => {
    const listed = parseImageList('rancher/one:v1\n', 'list')
    expect(await names({listed})).toEqual(['docker.io/rancher/one:v1', 'docker.io/rancher/one:sha256-….sig'])
    expect(await names({listed, referrers: false})).toEqual(['docker.io/rancher/one:v1'])
  })

  it('a listed image that the bundle lacks is an error that names its line', async () => {
    const listed = parseImageList('rancher/one:v1\nrancher/three:v1\n', 'list')
    await expect(names({listed})).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('line 2: docker.io/rancher/three:v1'),
    })
  })

  it('globs choose and leave out', async () => {
    expect(await names({include: ['**/two:*']})).toEqual(['docker.io/rancher/two:v1'])
    expect(await names({exclude: ['docker.io/rancher/one:v?']})).toEqual(['docker.io/rancher/two:v1'])
  })
})
