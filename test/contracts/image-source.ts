import {gunzipSync} from 'node:zlib'
import {
  contentKey,
  digestOf,
  MirrorError,
  type BlobSource,
  type Content,
  type Descriptor,
  type ImageSource,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {makeImage, type PlatformImage, type TestImage} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

/** Returns a source of exactly `image`, under any name. */
export type MakeSource = () => Promise<ImageSource>

/** The image of every case. A layer is longer than a chunk of any source. */
export const image = await makeImage({seed: 'contract', layers: 3, layerSize: 90_000})
export const platform = onlyPlatform(image)

function onlyPlatform({platforms: [first]}: TestImage): PlatformImage {
  if (first === undefined) throw new Error('an image without platforms')
  return first
}

export async function contentOf(blob: BlobSource, offset = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of blob.open({offset})) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    return error instanceof MirrorError ? error.code : String(error)
  }
  return 'no error'
}

/** The port's promises for every source. */
function commonPromises(make: MakeSource, contentsOf: (found: SourceImage) => readonly Content[]): void {
  async function contents(source: ImageSource): Promise<readonly Content[]> {
    const [found] = await source.images()
    if (found === undefined) throw new Error('no image')
    if ('manifest' in found.root) await source.manifest(found.root.manifest)
    return contentsOf(found)
  }

  test('lists its images in one order, however often it is asked', async () => {
    await using source = await make()
    const images = await source.images()
    expect(images).toHaveLength(1)
    expect(await source.images()).toEqual(images)
  })

  test('opens the blobs of its images again, from any offset', async () => {
    await using source = await make()
    const blobs = (await contents(source)).map((content) => source.blob(content))
    const releases = blobs.map((blob) => blob.keep?.())
    for (const blob of blobs) {
      expect(source.has(blob.content)).toBe(true)
      const whole = await contentOf(blob)
      expect((await contentOf(blob, 7)).equals(whole.subarray(7))).toBe(true)
      expect(await contentOf(blob, whole.length)).toHaveLength(0)
      expect((await contentOf(blob)).equals(whole)).toBe(true)
    }
    for (const release of [...releases, ...releases]) release?.()
  })

  test('gives no bytes of a blob that it lacks: BLOB_MISSING, at once if it knows, else when it is opened', async () => {
    await using source = await make()
    await source.images()
    const absent = {mediaType: 'x/y', digest: digestOf(Buffer.from('absent')), size: 6}
    const open = (): unknown => (source.has(absent) ? contentOf(source.blob(absent)) : source.blob(absent))
    expect(await codeOf(open)).toBe('BLOB_MISSING')
  })

  test('stops a blob at the signal', async () => {
    await using source = await make()
    for (const content of await contents(source)) {
      const signal = AbortSignal.abort()
      const stopped = async (): Promise<void> => {
        for await (const _ of source.blob(content).open({signal}));
      }
      expect(await codeOf(stopped)).toBe('CANCELLED')
    }
  })
}

/** The port's promises, for a source that keeps manifests and the bytes of layers. */
export function imageSourceContract(name: string, make: MakeSource): void {
  describe(`an image source, ${name}`, () => {
    commonPromises(make, () => image.blobs.map(({descriptor}) => descriptor))

    test('gives the exact bytes of a manifest, and BLOB_MISSING for one that it lacks', async () => {
      await using source = await make()
      const {descriptor, bytes} = image.root
      expect(await source.images()).toMatchObject([{root: {manifest: {digest: descriptor.digest}}}])
      expect(Buffer.from((await source.manifest(descriptor)).bytes).equals(bytes)).toBe(true)
      const absent = {...descriptor, digest: digestOf(Buffer.from('absent'))}
      expect(await codeOf(() => source.manifest(absent))).toBe('BLOB_MISSING')
    })

    test('gives the exact bytes of a blob, and none under a wrong size', async () => {
      await using source = await make()
      await source.images()
      await source.manifest(image.root.descriptor)
      for (const {descriptor, bytes} of image.blobs) {
        const content = await contentOf(source.blob(descriptor))
        expect(content.equals(bytes)).toBe(true)
        const lie: Descriptor = {...descriptor, size: descriptor.size + 1}
        const open = (): unknown => contentOf(source.blob(lie))
        expect(['DIGEST_MISMATCH', 'SOURCE_TRUNCATED']).toContain(await codeOf(open))
      }
    })
  })
}

/** The port's promises, for a source of plain layers without a manifest. */
export function pendingSourceContract(name: string, make: MakeSource): void {
  describe(`an image source, ${name}`, () => {
    commonPromises(make, ({root}) => ('pending' in root ? [root.pending.config, ...root.pending.layers] : []))

    test('makes the same manifest of the same layers, which unpack to what their diff IDs say', async () => {
      await using source = await make()
      const [found] = await source.images()
      if (found === undefined || !('pending' in found.root)) throw new Error('no pending image')
      const {pending} = found.root
      expect(pending.config.digest).toBe(platform.config.descriptor.digest)
      expect((await contentOf(source.blob(pending.config))).equals(platform.config.bytes)).toBe(true)
      const layers: Descriptor[] = []
      for (const [index, layer] of pending.layers.entries()) {
        const bytes = await contentOf(source.blob(layer))
        expect(contentKey(layer)).toBe(platform.layers[index]?.diffId)
        expect(digestOf(gunzipSync(bytes))).toBe(contentKey(layer))
        layers.push({mediaType: layer.mediaType, digest: digestOf(bytes), size: bytes.length})
      }
      expect(pending.manifest(layers)).toMatchObject({layers})
      expect(pending.manifest(layers)).toEqual(pending.manifest(layers))
    })
  })
}
