import {createBundlePacker} from '@airgap-mirror/bundle/internal'

/** Compresses as bundles are compressed: to the same bytes on every machine, with any number of threads. */
export async function packed(plain: AsyncIterable<Uint8Array>, codec: 'xz' | 'gzip'): Promise<Uint8Array> {
  const packer = createBundlePacker(codec)
  const chunks: Buffer[] = []
  try {
    // Copied, because a chunk is valid until the next is asked for.
    for await (const chunk of packer.pack(plain)) chunks.push(Buffer.from(chunk))
  } finally {
    await packer.close()
  }
  return Buffer.concat(chunks)
}
