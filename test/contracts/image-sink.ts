import {
  parseManifest,
  type BlobSource,
  type Descriptor,
  type ImageSink,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {makeImage, type TestBlob} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

export interface MadeSink extends AsyncDisposable {
  readonly sink: ImageSink
  /** `host:port` for references. */
  readonly registry: string
  /** True if tags appear only when all is written. */
  readonly namesAtEnd: boolean
}

function blobOf({bytes, descriptor}: TestBlob): BlobSource {
  return {
    content: descriptor,
    open: async function* ({offset = 0} = {}) {
      yield await Promise.resolve(bytes.subarray(offset))
    },
  }
}

/** The port's promises, for a sink that keeps manifests. */
export function imageSinkContract(name: string, make: () => Promise<MadeSink>): void {
  const repository = 'team/app'
  describe(`an image sink, ${name}`, () => {
    test('has nothing before something is put', async () => {
      await using made = await make()
      const {sink, registry} = made
      const {root, blobs} = await makeImage({seed: 'contract', layers: 1})
      expect(await sink.resolve({registry, repository, tag: 'v1'})).toBeUndefined()
      expect(await sink.manifest({registry, repository, tag: 'v1'})).toBeUndefined()
      expect(await sink.manifest({registry, repository, digest: root.descriptor.digest})).toBeUndefined()
      for (const {descriptor} of blobs) expect(await sink.hasBlob(repository, descriptor.digest)).toBe(false)
    })

    test('tells how a blob came to it: uploaded, and the second time present', async () => {
      await using made = await make()
      const {sink} = made
      const {blobs} = await makeImage({seed: 'contract', layers: 2})
      for (const blob of blobs) {
        const {descriptor} = blob
        const sent: number[] = []
        const first = await sink.putBlob(repository, blobOf(blob), {onProgress: (bytes) => sent.push(bytes)})
        expect(first).toMatchObject({how: 'uploaded', descriptor: same(descriptor)})
        expect(sent.at(-1)).toBe(descriptor.size)
        expect(await sink.hasBlob(repository, descriptor.digest)).toBe(true)
        const again = await sink.putBlob(repository, blobOf(blob))
        expect(again).toMatchObject({how: 'present', descriptor: same(descriptor)})
      }
    })

    test('gives a manifest back by its digest, byte for byte, and by its tag unless tags come at the end', async () => {
      await using made = await make()
      const {sink, registry, namesAtEnd} = made
      const {root, blobs} = await makeImage({seed: 'contract', layers: 2})
      for (const blob of blobs) await sink.putBlob(repository, blobOf(blob))
      const {descriptor, bytes} = root
      const manifest = parseManifest(bytes, {mediaType: descriptor.mediaType})
      await sink.putManifest({registry, repository, tag: 'v1'}, manifest)
      const {digest} = descriptor
      const tagged: Reference = {registry, repository, tag: 'v1'}
      expect((await sink.resolve(tagged))?.digest).toBe(namesAtEnd ? undefined : digest)
      for (const reference of [{registry, repository, digest}, ...(namesAtEnd ? [] : [tagged])]) {
        expect(await sink.resolve(reference)).toMatchObject(same(descriptor))
        expect(Buffer.from((await sink.manifest(reference))?.bytes ?? []).equals(bytes)).toBe(true)
      }
    })

    test('stops at the signal', async () => {
      await using made = await make()
      const [blob] = (await makeImage({seed: 'contract', layers: 1})).blobs
      if (blob === undefined) throw new Error('no blob')
      const putting = made.sink.putBlob(repository, blobOf(blob), {signal: AbortSignal.abort()})
      await expect(putting).rejects.toBeInstanceOf(Error)
    })
  })
}

function same({digest, size}: Descriptor): {readonly digest: string; readonly size: number} {
  return {digest, size}
}
