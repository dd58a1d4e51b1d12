import {gunzipSync} from 'node:zlib'
import {digestOf, isPending, mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {base, first, other, pendingOf, podman, top} from '../fixtures/docker-archives.js'
import {literalTar, type LiteralEntry} from '../fixtures/literal-tar.js'
import {bytesOf, errorOf, namesOf, openFile, openTar, rootDigests} from '../fixtures/opened.js'
import {config, gzipped, json, part, plainLayer} from '../fixtures/parts.js'

/** docker save before 25: legacy ids, a repeated layer as a symbolic link, sorted by name. */
function oldDocker(): readonly LiteralEntry[] {
  const repeated = config(base, top, base)
  const id = (digit: string): string => digit.repeat(64)
  return [
    {path: `${id('1')}/`, type: '5'},
    {path: `${id('1')}/VERSION`, content: '1.0'},
    {path: `${id('1')}/json`, content: '{}'},
    // Points forward: the target comes later.
    {path: `${id('1')}/layer.tar`, type: '2', link: `../${id('3')}/layer.tar`},
    {path: `${id('2')}/`, type: '5'},
    {path: `${id('2')}/VERSION`, content: '1.0'},
    {path: `${id('2')}/json`, content: '{}'},
    {path: `${id('2')}/layer.tar`, content: top.bytes},
    {path: `${id('3')}/`, type: '5'},
    {path: `${id('3')}/VERSION`, content: '1.0'},
    {path: `${id('3')}/json`, content: '{}'},
    {path: `${id('3')}/layer.tar`, content: base.bytes},
    {path: `${repeated.hex}.json`, content: repeated.bytes},
    json('manifest.json', [
      {
        Config: `${repeated.hex}.json`,
        RepoTags: ['alpine:3', 'rancher/x:y', 'reg:5000/a:b'],
        Layers: [`${id('1')}/layer.tar`, `${id('2')}/layer.tar`, `${id('3')}/layer.tar`],
      },
    ]),
    json('repositories', {alpine: {3: id('3')}}),
  ]
}

describe('docker save before 25', () => {
  test('gives one image for each tag, with docker’s names written out', async () => {
    await using bundle = await openTar(oldDocker())
    expect(namesOf(bundle.images)).toEqual([
      'docker.io/library/alpine:3',
      'docker.io/rancher/x:y',
      'reg:5000/a:b',
    ])
    expect(new Set(bundle.images.map(({root}) => root)).size).toBe(1)
    expect(bundle.images[0]?.digestChanged).toMatch(/docker-archive.*manifest/)
    expect(bundle.source.description).toMatchObject({format: 'docker-archive', outerEntryCount: 15})
  })

  test('follows linked layers, forward ones too, and compresses the plain layers', async () => {
    await using bundle = await openTar(oldDocker())
    const pending = pendingOf(bundle.images[0])
    expect(pending.layers.map((layer) => isPending(layer) && layer.diffId)).toEqual([
      base.digest,
      top.digest,
      base.digest,
    ])
    for (const [index, layer] of pending.layers.entries()) {
      expect(bundle.source.has(layer)).toBe(true)
      const packed = await bytesOf(bundle.source, layer)
      const plain = [base, top, base][index]?.bytes
      expect(Buffer.from(gunzipSync(packed)).equals(plain ?? Buffer.alloc(0))).toBe(true)
      expect(layer.mediaType).toBe(mediaTypes.ociLayerGzip)
    }
  })

  test('compresses the same layer to the same bytes, and skips to an offset in them', async () => {
    await using bundle = await openTar(oldDocker())
    const layer = pendingOf(bundle.images[0]).layers[1]
    if (layer === undefined) throw new Error('no layer')
    const once = await bytesOf(bundle.source, layer)
    const again = await bytesOf(bundle.source, layer, 7)
    expect(Buffer.from(again).equals(Buffer.from(once.subarray(7)))).toBe(true)
  })

  test('makes the same manifest from the same layers, over the unchanged config', async () => {
    await using bundle = await openTar(oldDocker())
    const pending = pendingOf(bundle.images[0])
    const layers = [base, top, base].map((layer) => ({
      mediaType: mediaTypes.ociLayerGzip,
      digest: layer.digest,
      size: layer.bytes.length,
    }))
    const manifest = pending.manifest(layers)
    expect(manifest.bytes).toEqual(pending.manifest(layers).bytes)
    expect(manifest.layers).toEqual(layers)
    expect(manifest.config).toEqual(pending.config)
    expect(digestOf(await bytesOf(bundle.source, pending.config))).toBe(pending.config.digest)
    expect(() => pending.manifest(layers.slice(1))).toThrow(/3 layers/)
  })
})

describe('podman and skopeo docker-archives', () => {
  test('many images share layers and keep the hosts of their names', async () => {
    const second = config(base, other)
    await using bundle = await openTar(
      podman([
        {config: first, layers: [base, top], tags: ['example.com/foo/bar:v1']},
        {config: second, layers: [base, other], tags: ['localhost/own:latest']},
      ]),
    )
    expect(namesOf(bundle.images)).toEqual(['example.com/foo/bar:v1', 'localhost/own:latest'])
    expect(rootDigests(bundle.images)).toEqual([`config ${first.digest}`, `config ${second.digest}`])
    const [left, right] = bundle.images.map((image) => pendingOf(image).layers[0])
    expect(left).toEqual(right)
  })

  test('an image without names is shown as its file', async () => {
    await using bundle = await openTar(podman([{config: first, layers: [base, top], tags: []}]))
    expect(namesOf(bundle.images)).toEqual(['? bundle'])
  })

  test('an image has the name that no registry takes, for the message', async () => {
    const tags = ['Team/App:v1', '<none>:<none>']
    await using bundle = await openTar(podman([{config: first, layers: [base, top], tags}]))
    expect(bundle.images.map(({name, refusedName}) => ({name, refusedName}))).toEqual([
      {name: undefined, refusedName: 'Team/App:v1'},
    ])
  })

  test('without compression, a layer named after its diff id goes out as it is', async () => {
    const entries = podman([{config: first, layers: [base, top], tags: ['a/b:c']}])
    await using bundle = await openTar(entries, {layerCompression: 'none'})
    const [image] = bundle.images
    if (image === undefined || !('manifest' in image.root)) throw new Error('the image is pending')
    const manifest = await bundle.source.manifest(image.root.manifest)
    expect(manifest.kind === 'image' && manifest.layers.map(({digest}) => digest)).toEqual([
      base.digest,
      top.digest,
    ])
    expect(image.digestChanged).toBeDefined()
  })

  test('zstd gives layers of the zstd type', async () => {
    const entries = podman([{config: first, layers: [base, top], tags: ['a/b:c']}])
    await using bundle = await openTar(entries, {layerCompression: 'zstd'})
    const [layer] = pendingOf(bundle.images[0]).layers
    if (layer === undefined) throw new Error('no layer')
    expect(layer.mediaType).toBe(mediaTypes.ociLayerZstd)
    const packed = Buffer.from(await bytesOf(bundle.source, layer))
    expect(packed.readUInt32LE(0)).toBe(0xfd2fb528)
  })
})

describe('layers that are compressed in the archive', () => {
  const packed = gzipped(base)
  const archive = (path: string): readonly LiteralEntry[] => [
    {path, content: packed.bytes},
    {path: 'config', content: config(base).bytes},
    json('manifest.json', [{Config: 'config', RepoTags: ['a/b:c'], Layers: [path]}]),
  ]

  test('crane’s keep their bytes and digest', async () => {
    const craneConfig = config(base)
    await using bundle = await openTar([
      {path: craneConfig.digest, content: craneConfig.bytes},
      {path: `${packed.hex}.tar.gz`, content: packed.bytes},
      json('manifest.json', [
        {Config: craneConfig.digest, RepoTags: ['busybox:latest'], Layers: [`${packed.hex}.tar.gz`]},
      ]),
    ])
    expect(namesOf(bundle.images)).toEqual(['docker.io/library/busybox:latest'])
    const [image] = bundle.images
    if (image === undefined || !('manifest' in image.root)) throw new Error('the image is pending')
    const manifest = await bundle.source.manifest(image.root.manifest)
    if (manifest.kind !== 'image') throw new Error('not an image')
    expect(manifest.layers).toEqual([
      {mediaType: mediaTypes.ociLayerGzip, digest: packed.digest, size: packed.bytes.length},
    ])
    expect(manifest.config.digest).toBe(craneConfig.digest)
    const [layer] = manifest.layers
    expect(layer && Buffer.from(await bytesOf(bundle.source, layer)).equals(packed.bytes)).toBe(true)
    expect(image.digestChanged).toBeDefined()
  })

  test('a layer whose name is not a digest is unpacked, checked and packed again', async () => {
    await using bundle = await openTar(archive('layer.tar.gz'))
    const [layer] = pendingOf(bundle.images[0]).layers
    if (layer === undefined || !isPending(layer)) throw new Error('not pending')
    expect(layer.diffId).toBe(base.digest)
    const again = gunzipSync(await bytesOf(bundle.source, layer))
    expect(Buffer.from(again).equals(base.bytes)).toBe(true)
  })

  test('a layer with another digest than its name is refused at its end', async () => {
    const lying = plainLayer('lie').hex
    await using bundle = await openTar(archive(`${lying}.tar.gz`))
    const [image] = bundle.images
    if (image === undefined || !('manifest' in image.root)) throw new Error('the image is pending')
    const manifest = await bundle.source.manifest(image.root.manifest)
    const layer = manifest.kind === 'image' ? manifest.layers[0] : undefined
    if (layer === undefined) throw new Error('no layer')
    const error = await errorOf(bytesOf(bundle.source, layer))
    expect(error).toMatchObject({code: 'DIGEST_MISMATCH', side: 'source'})
  })
})

test('paths written with ./ are the same paths', async () => {
  const own = config(base)
  const tar = literalTar([
    {path: './', type: '5'},
    {path: `./${base.hex}.tar`, content: base.bytes},
    {path: `./${own.hex}.json`, content: own.bytes},
    json('./manifest.json', [
      {Config: `./${own.hex}.json`, RepoTags: ['a/b:c'], Layers: [`./${base.hex}.tar`]},
    ]),
  ])
  await using bundle = await openFile(tar)
  const [layer] = pendingOf(bundle.images[0]).layers
  expect(layer !== undefined && bundle.source.has(layer)).toBe(true)
})

test('a foreign layer of a Windows image stays a descriptor with its addresses', async () => {
  const foreign = part('stays at its vendor')
  const own = config(base, top)
  const source = {
    mediaType: mediaTypes.dockerForeignLayer,
    digest: foreign.digest,
    size: 5,
    urls: ['https://vendor.example/layer'],
  }
  await using bundle = await openTar([
    {path: `${top.hex}.tar`, content: top.bytes},
    {path: `${own.hex}.json`, content: own.bytes},
    json('manifest.json', [
      {
        Config: `${own.hex}.json`,
        RepoTags: ['a/b:c'],
        Layers: [`${base.hex}.tar`, `${top.hex}.tar`],
        LayerSources: {[base.digest]: source},
      },
    ]),
  ])
  const [layer] = pendingOf(bundle.images[0]).layers
  expect(layer).toEqual(source)
  expect(layer !== undefined && bundle.source.has(layer)).toBe(false)
})
