import {openRegistry, openRegistrySource} from '@airgap-mirror/oci-client'
import {addImage, memoryBlob} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {parseReference} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {imageSinkContract} from '../../../test/contracts/image-sink.js'
import {image} from '../../../test/contracts/image-source.js'
import {mountingFrom} from '#src/commands/copy/mounting-from.js'

imageSinkContract('a registry that mounts from one of its repositories', {givesBack: 'tags'}, async () => {
  const server = await startRegistry({strict: true})
  const sink = mountingFrom(
    'other/app',
    openRegistry({registry: server.host, side: 'target', plainHttp: true}),
  )
  return {
    sink,
    registry: server.host,
    written: async () =>
      openRegistrySource({
        references: [parseReference(`${server.host}/team/app:v1`)],
        registryFor: (registry) => ({registry, side: 'source', plainHttp: true}),
        referrers: false,
      }),
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await server.close()
    },
  }
})

test('a blob of the other repository is mounted, and not sent', async () => {
  await using server = await startRegistry({strict: true})
  await addImage(server, image, {repository: 'other/app', tag: 'v1'})
  await using sink = mountingFrom(
    'other/app',
    openRegistry({registry: server.host, side: 'target', plainHttp: true}),
  )
  for (const blob of image.blobs)
    expect(await sink.putBlob('team/app', memoryBlob(blob))).toMatchObject({how: 'mounted'})
  expect(server.bytesReceived).toBe(0)
})
