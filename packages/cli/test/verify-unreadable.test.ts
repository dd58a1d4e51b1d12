import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {openBundle} from '@airgap-mirror/bundle'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage, ociLayout, withTempDir, writeDirectory} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {verifySource} from '#src/engine/verify/verify-source.js'

const image = await makeImage({seed: 'verify-unreadable', layers: 2})
const whole = await makeImage({seed: 'verify-readable'})
const [first, second] = image.platforms[0]?.layers ?? []

test.each([
  {second: 'whole', status: 'failed', code: 'SOURCE_UNREADABLE'},
  {second: 'damaged', status: 'differs', code: 'DIGEST_MISMATCH'},
])(
  'an image whose first layer cannot be read and whose second is $second: $status',
  async ({second: state, status, code}) =>
    withTempDir(async (directory) => {
      await writeDirectory(directory, ociLayout([{image}, {image: whole}]))
      if (first === undefined || second === undefined) throw new Error('the image has no layers')
      await using source = await openBundle(directory)
      const pathOf = ({descriptor}: typeof first): string =>
        join(directory, 'blobs/sha256', hexOf(descriptor.digest))
      // Not by its mode: root reads everything.
      await rm(pathOf(first))
      await mkdir(pathOf(first))
      if (state === 'damaged') await writeFile(pathOf(second), Buffer.alloc(second.bytes.length))
      const choice = {include: [], exclude: [], referrers: true}
      const images = await verifySource(source, {choice, leftOut: [], concurrency: 4, onEvent: () => {}})
      expect(images.map((one) => [one.sourceDigest, one.status, one.error?.code])).toEqual([
        [image.root.descriptor.digest, status, code],
        [whole.root.descriptor.digest, 'verified', undefined],
      ])
    }),
)
