import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {compress, dockerArchive, makeImage, ociLayout, tarBytes, withTempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {expect, test} from 'vitest'
import {pushBundle} from '../examples/push-bundle.js'

test('the example pushes an OCI layout with its digests, and a docker-archive whose layers are plain', async () => {
  await using registry = await startRegistry()
  const options = {registry: registry.host, side: 'target', plainHttp: true} as const
  const one = await makeImage({seed: 'example', platforms: ['linux/amd64', 'linux/arm64'], layerSize: 10_000})
  const two = await makeImage({seed: 'archived', layers: 2, layerSize: 10_000, format: 'docker'})
  await withTempDir(async (directory) => {
    const layout = join(directory, 'layout.tar.xz')
    const named = [{image: one, annotations: {'io.containerd.image.name': 'docker.io/library/app:v1'}}]
    await writeFile(layout, await compress(await tarBytes(ociLayout(named)), {type: 'xz'}))
    const archive = join(directory, 'docker.tar')
    await writeFile(archive, await tarBytes(dockerArchive([{image: two, tags: ['a.example/team/two:v2']}])))

    expect(await pushBundle(layout, options)).toMatchObject([{repository: 'library/app', tag: 'v1'}])
    expect(await pushBundle(archive, options)).toMatchObject([{repository: 'team/two', tag: 'v2'}])
  })
  expect(registry.manifest('library/app', 'v1')?.digest).toBe(one.root.descriptor.digest)
  expect(registry.manifest('team/two', 'v2')).toBeDefined()
  expect(registry.fsck()).toEqual([])
})
