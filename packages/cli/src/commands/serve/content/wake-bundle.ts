import type {CallOptions, Content, ImageSource} from '@airgap-mirror/oci-client/model'
import {blobsOf, nodesOf, type Gathered} from '../../../engine/gather.js'

/**
 * Begins to read the largest blob of a bundle. A bundle that has to be unpacked before anything can be read, and whose index is
 * remembered, would else begin with it at the first pull. Never rejects: a pull meets the error again, and tells it.
 */
export async function wakeBundle(
  gathered: readonly Gathered[],
  {source, signal}: CallOptions & {readonly source: ImageSource},
): Promise<void> {
  // Reading a block would only keep the processor from the first pull.
  if (source.access === 'blocks') return
  const largest = contentsOf(gathered, source).reduce<Content | undefined>(
    (most, content) => (most === undefined || content.size > most.size ? content : most),
    undefined,
  )
  if (largest === undefined) return
  try {
    const bytes = source.blob(largest).open({offset: 1, signal})[Symbol.asyncIterator]()
    await bytes.next()
    await bytes.return?.()
  } catch {
    // Told by the pull that needs the blob.
  }
}

function contentsOf(gathered: readonly Gathered[], source: ImageSource): readonly Content[] {
  const contents = gathered.flatMap((image): readonly Content[] => {
    if ('pending' in image) return image.pending.layers
    if ('error' in image) return []
    return nodesOf(image.node).flatMap(({manifest}) => blobsOf(manifest, source))
  })
  return contents.filter((content) => source.has(content))
}
