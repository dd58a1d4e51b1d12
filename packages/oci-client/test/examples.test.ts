import {addImage, makeImage} from '../../../test/kit/index.js'
import {startRegistry} from '../../../test/registry/index.js'
import {expect, test} from 'vitest'
import {copyImage} from '../examples/copy-image.js'

test('the example copies an image with all its platforms, and sends nothing the second time', async () => {
  await using from = await startRegistry()
  await using to = await startRegistry()
  const image = await makeImage({
    seed: 'example',
    platforms: ['linux/amd64', 'linux/arm64'],
    layerSize: 10_000,
  })
  await addImage(from, image, {repository: 'library/app', tag: 'v1'})
  const copy = (): Promise<void> =>
    copyImage(`${from.host}/library/app:v1`, `${to.host}/copies/app:v2`, {plainHttp: true})

  await copy()
  expect(to.manifest('copies/app', 'v2')?.digest).toBe(image.root.descriptor.digest)
  const sent = to.bytesReceived
  await copy()
  const manifests = image.manifests.reduce((sum, {bytes}) => sum + bytes.length, 0)
  expect(to.bytesReceived - sent).toBe(manifests)
  expect(to.fsck()).toEqual([])
})
