import {buffer} from 'node:stream/consumers'
import {createBundlePacker} from '@airgap-mirror/bundle/internal'

/** Compresses as bundles are compressed: to the same bytes on every machine, with any number of threads. */
export async function packed(plain: AsyncIterable<Uint8Array>, codec: 'xz' | 'gzip'): Promise<Uint8Array> {
  const packer = createBundlePacker(codec)
  try {
    return await buffer(packer.pack(plain))
  } finally {
    await packer.close()
  }
}
