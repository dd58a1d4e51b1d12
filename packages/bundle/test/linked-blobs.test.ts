import {symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {openBundle, type BundleSource} from '#src/index.js'
import {literalTar, type LiteralEntry} from './fixtures/literal-tar.js'
import {errorOf, layOut, openFile, testDirectory} from './fixtures/opened.js'
import {config, descriptor, image, indexJson, json, OCI_LAYOUT, plainLayer} from './fixtures/parts.js'

const app = image('app')
const index = indexJson([
  descriptor(mediaTypes.ociManifest, app.manifest, {
    annotations: {'io.containerd.image.name': 'a.example/b:c'},
  }),
])
const manifestPath = `blobs/sha256/${app.manifest.hex}`

async function manifestError(source: BundleSource) {
  const [found] = await source.images()
  if (found === undefined || !('manifest' in found.root)) throw new Error('the image has no manifest')
  return errorOf(source.manifest(found.root.manifest))
}

function linkedOut(link: (path: string) => string): readonly LiteralEntry[] {
  return app.blobs.map(({path}) => ({path, type: '2' as const, link: link(path)}))
}

test('a layout whose blobs are links out of its directory says so, and how it can be copied', async () => {
  await using directory = await testDirectory()
  await layOut([...app.blobs, index, OCI_LAYOUT], join(directory.path, 'store'))
  const linked = join(directory.path, 'linked')
  await layOut([...linkedOut((path) => `../../../store/${path}`), index, OCI_LAYOUT], linked)
  await using source = await openBundle(linked)
  expect(await manifestError(source)).toMatchObject({
    code: 'BLOB_MISSING',
    message: `blob ${app.manifest.digest} is not in the bundle: ${manifestPath} is a link that leads out of it`,
    advice: {kind: 'follow-links'},
  })
  expect(source.unused.filter(({isWarning}) => isWarning)).toHaveLength(app.blobs.length)
})

test('a layout whose directory of blobs is a link out of it says so', async () => {
  await using directory = await testDirectory()
  await layOut([...app.blobs], join(directory.path, 'store'))
  const linked = join(directory.path, 'linked')
  await layOut([{path: 'blobs/', type: '5'}, index, OCI_LAYOUT], linked)
  await symlink('../../store/blobs/sha256', join(linked, 'blobs', 'sha256'))
  await using source = await openBundle(linked)
  expect((await manifestError(source)).message).toBe(
    `blob ${app.manifest.digest} is not in the bundle: blobs/sha256 is a link that leads out of it`,
  )
})

test('a tar of such a layout says so, and lists the links as unused', async () => {
  const entries = [...linkedOut((path) => `../../../store/${path}`), index, OCI_LAYOUT]
  await using bundle = await openFile(literalTar(entries))
  expect((await manifestError(bundle.source)).message).toContain('is a link that leads out of it')
  expect(bundle.source.unused).toContainEqual({
    path: manifestPath,
    size: 0,
    reason: 'it is a link that leads out of the archive',
    isWarning: false,
  })
})

test('a link to nothing inside the directory is not called a link out of it', async () => {
  await using directory = await testDirectory()
  await layOut([...linkedOut(() => 'nothing'), index, OCI_LAYOUT], directory.path)
  await using source = await openBundle(directory.path)
  expect((await manifestError(source)).message).toBe(`manifest ${app.manifest.digest} is not in the bundle`)
})

test('a layer of a docker-archive that is a link out of its directory is told as such', async () => {
  await using directory = await testDirectory()
  const layer = plainLayer('only')
  const own = config(layer)
  await writeFile(join(directory.path, 'layer.tar'), layer.bytes)
  const inside = join(directory.path, 'archive')
  const items = [{Config: `${own.hex}.json`, RepoTags: ['a/b:c'], Layers: ['abc/layer.tar']}]
  await layOut(
    [
      {path: 'abc/layer.tar', type: '2', link: '../../layer.tar'},
      {path: `${own.hex}.json`, content: own.bytes},
      json('manifest.json', items),
    ],
    inside,
  )
  await using source = await openBundle(inside)
  const [found] = await source.images()
  if (found === undefined || !('pending' in found.root)) throw new Error('the image is not pending')
  const [pending] = found.root.pending.layers
  expect(() => pending && source.blob(pending)).toThrow(
    /abc\/layer\.tar of a\/b:c is a link that leads out of the bundle/,
  )
})
