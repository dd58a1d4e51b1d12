import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {requireTool, skopeo} from '@airgap-mirror/test/kit'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {openBundle} from '#src/index.js'
import {bytesOf, layOut, namesOf, readWhole, rootDigests, testDirectory} from '../fixtures/opened.js'
import {descriptor, image, indexJson, OCI_LAYOUT, ociIndex, blobEntry} from '../fixtures/parts.js'

const amd64 = image('app', 'amd64')
const arm64 = image('app', 'arm64')
const index = ociIndex(
  [[amd64, 'amd64'] as const, [arm64, 'arm64'] as const].map(([of, architecture]) =>
    descriptor(mediaTypes.ociManifest, of.manifest, {platform: {os: 'linux', architecture}}),
  ),
)

async function layout(path: string): Promise<string> {
  await layOut(
    [
      ...amd64.blobs,
      ...arm64.blobs,
      blobEntry(index),
      indexJson([
        descriptor(mediaTypes.ociManifest, amd64.manifest, {
          annotations: {'org.opencontainers.image.ref.name': 'one'},
        }),
        descriptor(mediaTypes.ociIndex, index, {
          annotations: {'org.opencontainers.image.ref.name': 'many'},
        }),
      ]),
      OCI_LAYOUT,
    ],
    path,
  )
  return path
}

test('a docker-archive of skopeo has its config unchanged and its layers plain', async (context) => {
  requireTool(context, 'skopeo')
  await using directory = await testDirectory()
  const from = await layout(join(directory.path, 'layout'))
  const path = join(directory.path, 'archive')
  await skopeo(['copy', `oci:${from}:one`, `docker-archive:${path}:example.com/foo/bar:v1`])
  await using source = await openBundle(path)
  const images = await source.images()
  expect(namesOf(images)).toEqual(['example.com/foo/bar:v1'])
  const root = images[0]?.root
  if (root === undefined || !('pending' in root)) throw new Error('not pending')
  const layers = []
  for (const layer of root.pending.layers) layers.push(gunzipSync(await bytesOf(source, layer)))
  expect(layers.map((layer) => layer.toString('hex'))).toEqual(
    amd64.layers.map(({bytes}) => bytes.toString('hex')),
  )
})

test('an oci-archive of skopeo keeps every digest', async (context) => {
  requireTool(context, 'skopeo')
  await using directory = await testDirectory()
  const from = await layout(join(directory.path, 'layout'))
  const path = join(directory.path, 'archive')
  await skopeo(['copy', '--all', `oci:${from}:many`, `oci-archive:${path}:example.com/foo/bar:v1`])
  await using source = await openBundle(path)
  const images = await source.images()
  expect(namesOf(images)).toEqual(['example.com/foo/bar:v1'])
  expect(rootDigests(images)).toEqual([index.digest])
  expect(images[0] && new Set(await readWhole(source, images[0]))).toEqual(
    new Set(
      [index, ...[amd64, arm64].flatMap((of) => [of.manifest, of.config].concat(of.packed))].map(
        ({digest}) => digest,
      ),
    ),
  )
})

test('a dir: of skopeo keeps every digest', async (context) => {
  requireTool(context, 'skopeo')
  await using directory = await testDirectory()
  const from = await layout(join(directory.path, 'layout'))
  const path = join(directory.path, 'saved')
  await skopeo(['copy', '--all', `oci:${from}:many`, `dir:${path}`])
  await using source = await openBundle(path)
  const images = await source.images()
  expect(namesOf(images)).toEqual(['? saved'])
  expect(rootDigests(images)).toEqual([index.digest])
  expect(images[0] && (await readWhole(source, images[0])).length).toBe(1 + 2 * 4)
})

test('an unpacked oci-archive reads as the archive does', async (context) => {
  requireTool(context, 'skopeo')
  await using directory = await testDirectory()
  const from = await layout(join(directory.path, 'layout'))
  await writeFile(join(from, 'notes.txt'), 'image-spec: unknown files are ignored')
  await using source = await openBundle(from)
  expect(namesOf(await source.images())).toEqual(['? one', '? many'])
  expect(rootDigests(await source.images())).toEqual([amd64.manifest.digest, index.digest])
})
