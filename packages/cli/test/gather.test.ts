import {describe, expect, it} from 'vitest'
import {gather} from '#src/engine/gather.js'
import {mediaTypes, MirrorError, type SourceImage} from '@airgap-mirror/oci-client/model'
import {MemorySource} from '@airgap-mirror/test/kit'

/** Behaves as a registry: its content shows only when asked for. */
class AskedSource extends MemorySource {
  override has(): boolean {
    return true
  }
}

const AMD64 = {os: 'linux', architecture: 'amd64'}
const ARM64 = {os: 'linux', architecture: 'arm64'}

describe('gathering', () => {
  it('tells of an image that cannot be had, and reads the others', async () => {
    const source = new MemorySource()
    const error = new MirrorError('NOT_FOUND', 'it is not in its registry', {side: 'source'})
    const root: SourceImage['root'] = {error}
    source.image('gcr.io/a/gone:v1', source.manifestOf([]), {root})
    source.image('gcr.io/a/there:v1', source.manifestOf([]))
    const [gone, there] = await gather(source)
    expect(gone).toMatchObject({error, image: {name: {repository: 'a/gone'}}})
    expect(there).toHaveProperty('node')
  })

  it('finds children absent that only asking shows to be missing', async () => {
    const source = new AskedSource()
    const layer = source.add('layer', mediaTypes.ociLayer)
    const there = source.manifestOf([layer])
    const missing = source.manifestOf([layer], {platform: 'arm64', absent: true})
    source.image(
      'gcr.io/a/sparse:v1',
      source.indexOf([
        [there, AMD64],
        [missing, ARM64],
      ]),
    )
    const [sparse] = await gather(source)
    if (sparse === undefined || !('node' in sparse)) throw new Error('the image was not read')
    expect(sparse.node.children.map(({manifest}) => manifest.descriptor.digest)).toEqual([there.digest])
    expect(sparse.node.absent.map(({digest}) => digest)).toEqual([missing.digest])
  })

  it.each([
    ['an index', mediaTypes.ociIndex],
    ['a manifest of Docker', mediaTypes.dockerManifest],
  ])('refuses an index that calls an OCI manifest %s', async (_, mediaType) => {
    const source = new MemorySource()
    const child = source.manifestOf([source.add('layer', mediaTypes.ociLayer)])
    source.image('gcr.io/a/honest:v1', source.indexOf([[child, AMD64]]))
    // The index has the child under its true type, too.
    const lying = source.indexOf([
      [{...child, mediaType}, ARM64],
      [child, AMD64],
    ])
    source.image('gcr.io/a/lying:v1', lying)
    const [honest, refused] = await gather(source)
    expect(honest).toHaveProperty('node')
    expect(refused).toMatchObject({
      error: {code: 'MANIFEST_INVALID', message: expect.stringContaining(`calls ${child.digest}`) as string},
    })
  })

  it('tells of an image whose own manifest is missing', async () => {
    const source = new AskedSource()
    source.image('gcr.io/a/empty:v1', source.manifestOf([], {absent: true}))
    expect(await gather(source)).toMatchObject([{error: {code: 'BLOB_MISSING'}}])
  })
})
