import {gzipSync} from 'node:zlib'
import {
  contentKey,
  digestOf,
  parseManifest,
  type BlobSource,
  type Descriptor,
  type Digest,
  type ImageSink,
  type ImageSource,
  type PendingLayer,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {memoryBlob} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {codeOf, contentOf, image, platform} from './image-source.js'
import {putImage} from './put-image.js'

export interface MadeSink extends AsyncDisposable {
  readonly sink: ImageSink
  /** `host:port` for references. */
  readonly registry: string
  /** Ends the writing, and opens what was written. */
  written(): Promise<ImageSource>
}

export interface SinkTraits {
  /** The manifests that the sink gives back before it is finished. */
  readonly givesBack: 'tags' | 'digests' | 'nothing'
  /** True if it keeps layers unpacked, and no manifests. */
  readonly unpacks?: boolean
}

const repository = 'team/app'
const [layer] = platform.layers

/** The port's promises. */
export function imageSinkContract(
  name: string,
  {givesBack, unpacks = false}: SinkTraits,
  make: () => Promise<MadeSink>,
): void {
  describe(`an image sink, ${name}`, () => {
    test('has nothing before something is put', async () => {
      await using made = await make()
      const {sink, registry} = made
      const {digest} = image.root.descriptor
      for (const target of [
        {registry, repository, tag: 'v1'},
        {registry, repository, digest},
      ]) {
        expect(await sink.resolve(target)).toBeUndefined()
        expect(await sink.manifest(target)).toBeUndefined()
      }
      for (const {descriptor} of image.blobs)
        expect(await sink.hasBlob(repository, descriptor.digest)).toBe(false)
    })

    test('tells how a blob came to it: uploaded, and the second time present', async () => {
      await using made = await make()
      const {sink} = made
      for (const blob of image.blobs) {
        const {descriptor} = blob
        const sent: number[] = []
        const first = await sink.putBlob(repository, memoryBlob(blob), {
          onProgress: (bytes) => sent.push(bytes),
        })
        expect(first).toMatchObject({how: 'uploaded', descriptor: same(descriptor)})
        expect(sent.at(-1)).toBe(descriptor.size)
        expect(await sink.hasBlob(repository, descriptor.digest)).toBe(true)
        const again = await sink.putBlob(repository, memoryBlob(blob))
        expect(again).toMatchObject({how: 'present', descriptor: same(descriptor)})
      }
    })

    test('tells the final form of a pending layer before it keeps it', async () => {
      await using made = await make()
      const {sink} = made
      if (layer === undefined) throw new Error('no layer')
      const {diffId, plain, descriptor} = layer
      const packed = gzipSync(plain)
      const content: PendingLayer = {diffId, size: plain.length, mediaType: descriptor.mediaType}
      const packedAs = {digest: digestOf(packed), size: packed.length}
      const told: Descriptor[] = []
      const bytes = memoryBlob({bytes: packed, descriptor: {...descriptor, ...packedAs}})
      const blob: BlobSource = {content, open: (options) => bytes.open(options)}
      const outcome = await sink.putBlob(repository, blob, {
        onFinal: async (final) => {
          expect(await sink.hasBlob(repository, final.digest)).toBe(false)
          told.push(final)
        },
      })
      expect(told).toMatchObject([packedAs])
      expect(outcome).toMatchObject({how: 'uploaded', descriptor: packedAs})
      expect(await sink.hasBlob(repository, packedAs.digest)).toBe(true)
    })

    test('never holds a blob with other bytes than its descriptor says', async () => {
      await using made = await make()
      const {sink} = made
      for (const {descriptor, bytes} of image.blobs) {
        const short = bytes.subarray(1)
        for (const lie of [
          Buffer.concat([bytes.subarray(-1), short]),
          short,
          Buffer.concat([bytes, short]),
        ]) {
          const blob: BlobSource = {
            content: descriptor,
            open: async function* () {
              yield lie
            },
          }
          expect(await codeOf(() => sink.putBlob(repository, blob))).not.toBe('no error')
          expect(await sink.hasBlob(repository, descriptor.digest)).toBe(false)
        }
      }
    })

    test('stops at the signal, and keeps nothing of that blob', async () => {
      await using made = await make()
      const {sink} = made
      for (const blob of image.blobs) {
        const stop = new AbortController()
        const {signal} = stop
        const putting = sink.putBlob(repository, memoryBlob(blob), {signal, onProgress: () => stop.abort()})
        expect(await codeOf(() => putting)).toBe('CANCELLED')
        expect(await codeOf(() => sink.putBlob(repository, memoryBlob(blob), {signal}))).toBe('CANCELLED')
        expect(await sink.hasBlob(repository, blob.descriptor.digest)).toBe(false)
      }
    })

    test('gives a manifest back byte for byte, or not at all', async () => {
      await using made = await make()
      const {sink, registry} = made
      const {descriptor, bytes} = image.root
      for (const blob of image.blobs) await sink.putBlob(repository, memoryBlob(blob))
      const manifest = parseManifest(bytes, {mediaType: descriptor.mediaType})
      const byDigest: Reference = {registry, repository, digest: descriptor.digest}
      const byTag: Reference = {registry, repository, tag: 'v1'}
      await sink.putManifest(byDigest, manifest)
      await sink.putManifest(byTag, manifest)
      const givenBack = async (target: Reference): Promise<string> => {
        const digest = (await sink.resolve(target))?.digest
        const again = (await sink.manifest(target))?.bytes
        if (digest === undefined && again === undefined) return 'nothing'
        return digest === descriptor.digest && again !== undefined && Buffer.from(again).equals(bytes)
          ? 'the same'
          : 'something else'
      }
      expect(await givenBack(byDigest)).toBe(givesBack === 'nothing' ? 'nothing' : 'the same')
      expect(await givenBack(byTag)).toBe(givesBack === 'tags' ? 'the same' : 'nothing')
    })

    test('holds a whole image, which a source reads again', async () => {
      await using made = await make()
      await putImage(made.sink, image, {registry: made.registry, repository, tag: 'v1'})
      await using source = await made.written()
      expect(await contentsOf(source)).toEqual(
        unpacks
          ? [platform.config.descriptor.digest, ...platform.layers.map(({diffId}) => diffId)]
          : [image.root, ...image.blobs].map(({descriptor}) => descriptor.digest),
      )
    })
  })
}

/** Returns the digests of all content of the only image, as it was read; for plain layers, the diff IDs. */
async function contentsOf(source: ImageSource): Promise<readonly Digest[]> {
  const [found] = await source.images()
  if (found === undefined || 'error' in found.root) throw new Error('no image')
  if ('pending' in found.root)
    return [found.root.pending.config, ...found.root.pending.layers].map(contentKey)
  const digests = [digestOf((await source.manifest(found.root.manifest)).bytes)]
  for (const {descriptor} of image.blobs) digests.push(digestOf(await contentOf(source.blob(descriptor))))
  return digests
}

function same({digest, size}: Descriptor): {readonly digest: string; readonly size: number} {
  return {digest, size}
}
