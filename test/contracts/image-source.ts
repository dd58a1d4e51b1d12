import {digestOf, MirrorError, type BlobSource, type ImageSource} from '@airgap-mirror/oci-client/model'
import {makeImage, type TestImage} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

/** Returns a source of exactly this image, under any name. */
export type MakeSource = (image: TestImage) => Promise<ImageSource & AsyncDisposable>

async function contentOf(blob: BlobSource, offset = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of blob.open({offset})) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    return error instanceof MirrorError ? error.code : String(error)
  }
  return 'no error'
}

/** The port's promises, for a source that keeps manifests and the bytes of layers. */
export function imageSourceContract(name: string, make: MakeSource): void {
  describe(`an image source, ${name}`, () => {
    test('lists its images in one order, however often it is asked', async () => {
      const image = await makeImage({seed: 'contract', layers: 3})
      await using source = await make(image)
      const images = await source.images()
      expect(images.map(({root}) => root)).toMatchObject([{manifest: {digest: image.root.descriptor.digest}}])
      expect(await source.images()).toEqual(images)
    })

    test('gives the exact bytes of a manifest, and BLOB_MISSING for one that it lacks', async () => {
      const image = await makeImage({seed: 'contract', layers: 3})
      await using source = await make(image)
      await source.images()
      const {descriptor, bytes} = image.root
      expect(Buffer.from((await source.manifest(descriptor)).bytes).equals(bytes)).toBe(true)
      const absent = {...descriptor, digest: digestOf(Buffer.from('absent'))}
      expect(await codeOf(() => source.manifest(absent))).toBe('BLOB_MISSING')
    })

    test('has the blobs of its images, and opens them again, from any offset', async () => {
      const image = await makeImage({seed: 'contract', layers: 3})
      await using source = await make(image)
      await source.images()
      for (const {descriptor} of image.manifests) await source.manifest(descriptor)
      for (const {descriptor, bytes} of image.blobs) {
        expect(source.has(descriptor)).toBe(true)
        const blob = source.blob(descriptor)
        expect((await contentOf(blob)).equals(bytes)).toBe(true)
        expect((await contentOf(blob, 7)).equals(bytes.subarray(7))).toBe(true)
        expect(await contentOf(blob, bytes.length)).toHaveLength(0)
      }
    })

    test('gives no bytes of a blob that it lacks: BLOB_MISSING, at once if it knows, else when it is opened', async () => {
      await using source = await make(await makeImage({seed: 'contract', layers: 1}))
      await source.images()
      const absent = {mediaType: 'x/y', digest: digestOf(Buffer.from('absent')), size: 6}
      const open = (): unknown => (source.has(absent) ? contentOf(source.blob(absent)) : source.blob(absent))
      expect(await codeOf(open)).toBe('BLOB_MISSING')
    })
  })
}
