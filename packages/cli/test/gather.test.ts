import {describe, expect, it} from 'vitest'
import {gather} from '#src/engine/gather.js'
import {mediaTypes, MirrorError, type SourceImage} from '@airgap-mirror/oci-client/model'
import {MemorySource} from './memory-source.js'

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

  it('tells of an image whose own manifest is missing', async () => {
    const source = new AskedSource()
    source.image('gcr.io/a/empty:v1', source.manifestOf([], {absent: true}))
    expect(await gather(source)).toMatchObject([{error: {code: 'BLOB_MISSING'}}])
  })
})
