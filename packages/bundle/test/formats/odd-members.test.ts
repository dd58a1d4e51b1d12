import {execFile} from 'node:child_process'
import {open, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {gunzipSync} from 'node:zlib'
import {compress, makeTempDir} from '@airgap-mirror/test/kit'
import {digestOf, isPending, mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {bytesOf, errorOf, namesOf, openFile, openTar, readWhole, type Opened} from '../fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  indexJson,
  json,
  OCI_LAYOUT,
  ociManifest,
  part,
  plainLayer,
  type Part,
} from '../fixtures/parts.js'

function docker(
  layer: Part,
  own: Part,
  path = `${layer.hex}.tar`,
  content = layer.bytes,
): readonly LiteralEntry[] {
  return [
    {path, content},
    {path: `${own.hex}.json`, content: own.bytes},
    json('manifest.json', [{Config: `${own.hex}.json`, RepoTags: ['a/b:c'], Layers: [path]}]),
  ]
}

/** Returns the plain bytes of the one layer of the one image, which is compressed while it is read. */
async function layerOf({source, images}: Opened): Promise<Buffer> {
  const [found] = images
  if (found === undefined || !('pending' in found.root)) throw new Error('the image is not pending')
  const [layer] = found.root.pending.layers
  if (layer === undefined || !isPending(layer)) throw new Error('the image has no pending layer')
  return gunzipSync(await bytesOf(source, layer))
}

/** Writes a file with holes for its runs of zeros, which a tar with `-S` leaves out. */
async function writeSparsely(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w')
  for (let at = 0; at < bytes.length; at += 4096) {
    const block = bytes.subarray(at, at + 4096)
    if (block.some((byte) => byte !== 0)) await file.write(block, 0, block.length, at)
  }
  await file.truncate(bytes.length)
  await file.close()
}

// Thirty parts, more than GNU's old format has room for in a header.
const holes = part(
  Buffer.concat([
    plainLayer('first').bytes.subarray(0, -1024),
    ...Array.from({length: 30}, (_, index) => [Buffer.alloc(4096, index + 1), Buffer.alloc(12_288)]).flat(),
  ]),
)
const own = config(holes)

test.each([
  ['GNU', ['--format=gnu']],
  ['pax 0.0', ['--format=pax', '--sparse-version=0.0']],
  ['pax 0.1', ['--format=pax', '--sparse-version=0.1']],
  ['pax 1.0', ['--format=pax', '--sparse-version=1.0']],
])('a layer that tar -S stored as a sparse file of %s is read with its holes', async (_name, format) => {
  await using directory = await makeTempDir()
  const entries = docker(holes, own)
  for (const {path, content = ''} of entries)
    await writeSparsely(join(directory.path, path), Buffer.from(content))
  const file = join(directory.path, 'a.tar')
  await promisify(execFile)('tar', [
    '-S',
    ...format,
    '-cf',
    file,
    '-C',
    directory.path,
    ...entries.map(({path}) => path),
  ])
  const archive = await readFile(file)
  expect(archive.length).toBeLessThan(holes.bytes.length)
  for (const packed of [archive, await compress(archive, {type: 'xz'})]) {
    await using bundle = await openFile(packed)
    expect(namesOf(bundle.images)).toEqual(['docker.io/a/b:c'])
    expect(digestOf(await layerOf(bundle))).toBe(holes.digest)
  }
})

/** bzip2 -9 of `plainLayer('bz')`. */
const BZIP2 =
  'QlpoOTFBWSZTWedNTygAAF9bgMyQQADVgABAfgqeEAgIIABUJKmIAAAN6oJJCHqDQ0ABR/mYLJCDDmbkbnrQMHogUNpyFFhFIItjlpHW+mVUKD7NAJwPJce9tzc2IFaL8XckU4UJDnTU8oA='

test.each([['abc/layer.tar'], ['abc/layer.tar.bz2'], ['layer.tar.gz']])(
  'a bzip2 layer of a docker-archive, named %s, is unpacked and compressed anew',
  async (path) => {
    const layer = plainLayer('bz')
    await using bundle = await openTar(docker(layer, config(layer), path, Buffer.from(BZIP2, 'base64')))
    expect((await layerOf(bundle)).equals(layer.bytes)).toBe(true)
  },
)

// 0xe9 is é in Latin-1, and no UTF-8.
function latin1(of: Part): Part {
  const [before = '', after = ''] = of.bytes.toString().split('"os"')
  return part(
    Buffer.concat([
      Buffer.from(before),
      Buffer.from('"author":"Andr\xe9","os"', 'latin1'),
      Buffer.from(after),
    ]),
  )
}

test('a config whose author is in Latin-1 keeps its bytes in a docker-archive and in a layout', async () => {
  const layer = plainLayer('latin')
  const strange = latin1(config(layer))
  const manifest = ociManifest({config: strange, layers: [layer], layerType: mediaTypes.ociLayer})
  const layout = [
    ...[layer, strange, manifest].map((of) => blobEntry(of)),
    indexJson([descriptor(mediaTypes.ociManifest, manifest)]),
    OCI_LAYOUT,
  ]
  for (const entries of [docker(layer, strange), layout]) {
    await using bundle = await openTar(entries)
    const [found] = bundle.images
    expect(found && (await readWhole(bundle.source, found))).toContain(strange.digest)
  }
})

test('an index whose list of manifests is null keeps its bytes', async () => {
  const index = part(`{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":null}`)
  await using bundle = await openTar([
    blobEntry(index),
    indexJson([descriptor(mediaTypes.ociIndex, index)]),
    OCI_LAYOUT,
  ])
  const manifest = await bundle.source.manifest(descriptor(mediaTypes.ociIndex, index))
  expect([manifest.kind, manifest.kind === 'index' && manifest.children]).toEqual(['index', []])
  expect(Buffer.from(manifest.bytes).equals(index.bytes)).toBe(true)
})

test('a layout whose index.json has null for its list is empty, not damaged', async () => {
  const error = await errorOf(
    openTar([{path: 'index.json', content: '{"schemaVersion":2,"manifests":null}'}, OCI_LAYOUT]),
  )
  expect(error).toMatchObject({code: 'SOURCE_EMPTY'})
})
