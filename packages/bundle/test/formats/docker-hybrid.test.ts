import {gunzipSync} from 'node:zlib'
import {isPending, mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {bytesOf, namesOf, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
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
  plainLayer,
} from '../fixtures/parts.js'

/** docker save of 25 and later with the graphdriver store, in its order. */
const base = plainLayer('base')
const top = plainLayer('top')
const own = config(base, top)
const madeUp = ociManifest({config: own, layers: [base, top], layerType: mediaTypes.ociLayer})
const orphan = part({id: 'v1 config that nobody names'})

function newDocker(names: readonly {full: string; tag: string; familiar: string}[]): LiteralEntry[] {
  return [
    {path: 'blobs/', type: '5'},
    {path: 'blobs/sha256/', type: '5'},
    ...[base, top, own, madeUp, orphan].map((of) => blobEntry(of)),
    indexJson(
      names.length === 0
        ? [descriptor(mediaTypes.ociManifest, madeUp)]
        : names.map(({full, tag}) =>
            descriptor(mediaTypes.ociManifest, madeUp, {
              annotations: {
                'io.containerd.image.name': full,
                'org.opencontainers.image.ref.name': tag,
              },
            }),
          ),
    ),
    json('manifest.json', [
      {
        Config: `blobs/sha256/${own.hex}`,
        RepoTags: names.length === 0 ? null : names.map(({familiar}) => familiar),
        Layers: [base, top].map(({hex}) => `blobs/sha256/${hex}`),
        LayerSources: Object.fromEntries(
          [base, top].map((layer) => [layer.digest, descriptor(mediaTypes.ociLayer, layer)]),
        ),
      },
    ]),
    OCI_LAYOUT,
    json('repositories', {}),
  ]
}

const twoNames = [
  {full: 'docker.io/library/alpine:3', tag: '3', familiar: 'alpine:3'},
  {full: 'reg.example:5000/a:b', tag: 'b', familiar: 'reg.example:5000/a:b'},
]

describe('docker save of 25 and later', () => {
  test('manifests that docker made up count as docker-archive: the layers are compressed', async () => {
    await using bundle = await openTar(newDocker(twoNames))
    expect(namesOf(bundle.images)).toEqual(['docker.io/library/alpine:3', 'reg.example:5000/a:b'])
    expect(rootDigests(bundle.images)).toEqual([`config ${own.digest}`, `config ${own.digest}`])
    expect(bundle.images[0]?.root).toBe(bundle.images[1]?.root)
    expect(bundle.images[0]?.digestChanged).toMatch(/docker made up/)
    const root = bundle.images[0]?.root
    if (root === undefined || !('pending' in root)) throw new Error('not pending')
    expect(root.pending.layers.map((layer) => isPending(layer) && layer.diffId)).toEqual([
      base.digest,
      top.digest,
    ])
    const [layer] = root.pending.layers
    if (layer === undefined) throw new Error('no layer')
    expect(bundle.source.has(layer)).toBe(true)
    expect(Buffer.from(gunzipSync(await bytesOf(bundle.source, layer))).equals(base.bytes)).toBe(true)
  })

  test('without compression docker’s own manifest stays', async () => {
    await using bundle = await openTar(newDocker(twoNames), {layerCompression: 'none'})
    expect(rootDigests(bundle.images)).toEqual([madeUp.digest, madeUp.digest])
    expect(bundle.images[0]?.digestChanged).toMatch(/docker made up/)
  })

  test('an image saved by its id has no name', async () => {
    await using bundle = await openTar(newDocker([]))
    expect(namesOf(bundle.images)).toEqual(['? bundle'])
    expect(bundle.images[0]?.digestChanged).toBeDefined()
  })
})

describe('a containerd export with docker’s manifest.json', () => {
  const busybox = image('busybox')
  const hybrid = (annotations: object): LiteralEntry[] => [
    ...busybox.blobs,
    indexJson([descriptor(mediaTypes.ociManifest, busybox.manifest, {annotations})]),
    json('manifest.json', [
      {
        Config: `blobs/sha256/${busybox.config.hex}`,
        RepoTags: ['registry.example/busybox:1'],
        Layers: busybox.packed.map(({hex}) => `blobs/sha256/${hex}`),
      },
    ]),
    OCI_LAYOUT,
  ]

  test('keeps manifests and layers as they are', async () => {
    await using bundle = await openTar(
      hybrid({
        'io.containerd.image.name': 'docker.io/library/busybox:1',
        'org.opencontainers.image.ref.name': '1',
      }),
    )
    expect(namesOf(bundle.images)).toEqual(['docker.io/library/busybox:1'])
    expect(rootDigests(bundle.images)).toEqual([busybox.manifest.digest])
    const [found] = bundle.images
    expect(found?.digestChanged).toBeUndefined()
    expect(found && new Set(await readWhole(bundle.source, found))).toEqual(
      new Set([busybox.manifest, busybox.config, ...busybox.packed].map(({digest}) => digest)),
    )
  })

  test('keeps plain layers as they are, which docker would have named the sources of', async () => {
    const plain = ociManifest({config: own, layers: [base, top], layerType: mediaTypes.ociLayer})
    await using bundle = await openTar([
      ...[base, top, own, plain].map((of) => blobEntry(of)),
      indexJson([
        descriptor(mediaTypes.ociManifest, plain, {
          annotations: {
            'io.containerd.image.name': 'docker.io/library/plain:1',
            'org.opencontainers.image.ref.name': '1',
          },
        }),
      ]),
      json('manifest.json', [
        {
          Config: `blobs/sha256/${own.hex}`,
          RepoTags: ['plain:1'],
          Layers: [base, top].map(({hex}) => `blobs/sha256/${hex}`),
        },
      ]),
      OCI_LAYOUT,
    ])
    expect(rootDigests(bundle.images)).toEqual([plain.digest])
    expect(bundle.images[0]?.digestChanged).toBeUndefined()
  })

  test('RepoTags give the name if the index has only a bare tag', async () => {
    await using bundle = await openTar(hybrid({'org.opencontainers.image.ref.name': '1'}))
    expect(namesOf(bundle.images)).toEqual(['registry.example/busybox:1'])
    expect(rootDigests(bundle.images)).toEqual([busybox.manifest.digest])
  })
})

test('an OCI layout over plain layers without docker’s manifest.json keeps its digests', async () => {
  await using bundle = await openTar(newDocker(twoNames).filter(({path}) => path !== 'manifest.json'))
  expect(rootDigests(bundle.images)).toEqual([madeUp.digest, madeUp.digest])
  expect(bundle.images[0]?.digestChanged).toBeUndefined()
})
