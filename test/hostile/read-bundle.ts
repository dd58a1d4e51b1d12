import {createHash} from 'node:crypto'
import {createGunzip} from 'node:zlib'
import {openBundle, type BundleSource} from '@airgap-mirror/bundle'
import {
  algorithmOf,
  contentKey,
  digestFrom,
  formatReference,
  isForeignLayerType,
  isMirrorError,
  isPending,
  type Bytes,
  type Content,
  type Descriptor,
  type Digest,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'

/** Opens a bundle and reads everything in it. Returns the outcome as `HostileCase.expected` writes it. */
export async function readBundle(path: string): Promise<{outcome: string; message: string; roots: Digest[]}> {
  const roots: Digest[] = []
  try {
    await using source = await openBundle(path, {scratch: 'never', threads: 2})
    const outcomes: string[] = []
    const reader = {source, blobs: new Map<string, Promise<Descriptor>>(), roots}
    for (const image of await source.images())
      outcomes.push(`${nameOf(image)} ${await readImage(image, reader)}`)
    return {outcome: [...new Set(outcomes)].join(', '), message: '', roots}
  } catch (error) {
    return {...failure(error), roots}
  }
}

function failure(error: unknown): {outcome: string; message: string} {
  if (!isMirrorError(error)) throw error
  if (error.side !== 'source')
    throw new Error(`${error.code} does not say that it is of the source`, {cause: error})
  return {outcome: error.code, message: error.message}
}

/** Names in the spelling of people, long ones cut. */
function nameOf({name, shownAs}: SourceImage): string {
  return (
    name === undefined ? `? ${shownAs ?? ''}` : formatReference(name).replace('docker.io/library/', '')
  ).slice(0, 60)
}

interface Reader {
  readonly source: BundleSource
  /** Each content is read once. */
  readonly blobs: Map<string, Promise<Descriptor>>
  readonly roots: Digest[]
}

async function readImage({root}: SourceImage, reader: Reader): Promise<string> {
  try {
    if ('error' in root) throw root.error
    if ('manifest' in root) await readGraph(root.manifest, reader)
    else {
      const final: Descriptor[] = []
      for (const content of root.pending.layers) final.push(await readBlob(content, reader))
      await readBlob(root.pending.config, reader)
      root.pending.manifest(final)
    }
    reader.roots.push('manifest' in root ? root.manifest.digest : root.pending.config.digest)
    return 'whole'
  } catch (error) {
    return failure(error).outcome
  }
}

async function readGraph(root: Descriptor, reader: Reader): Promise<void> {
  const {source} = reader
  const seen = new Set<string>()
  const queue = [root]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const key = `${next.digest} ${next.size}`
    if (seen.has(key)) continue
    seen.add(key)
    const manifest = await source.manifest(next)
    if (manifest.kind === 'index') queue.push(...manifest.children.filter((child) => source.has(child)))
    else {
      for (const content of [manifest.config, ...manifest.layers]) {
        if (!isForeignLayerType(content.mediaType)) await readBlob(content, reader)
      }
    }
  }
}

function readBlob(content: Content, {source, blobs}: Reader): Promise<Descriptor> {
  const key = `${contentKey(content)} ${content.size} ${isPending(content)}`
  const reading = blobs.get(key) ?? readAnew(content, source)
  blobs.set(key, reading)
  return reading
}

/** Reads content to its end and proves, without the library's own check, that it is what it is called. */
async function readAnew(content: Content, source: BundleSource): Promise<Descriptor> {
  const bytes = source.blob(content).open()
  if (!isPending(content)) {
    const {digest, size} = await measured(bytes, content.digest)
    if (digest !== content.digest || size !== content.size)
      throw new Error(`${content.digest} read as ${digest}`)
    return content
  }
  const packed = createHash('sha256')
  let size = 0
  async function* counted(): Bytes {
    for await (const chunk of bytes) {
      packed.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  const plain = await measured(unpacked(counted()), content.diffId)
  if (plain.digest !== content.diffId) throw new Error(`${content.diffId} read as ${plain.digest}`)
  return {mediaType: content.mediaType, digest: digestFrom(packed), size}
}

async function* unpacked(bytes: Bytes): Bytes {
  const gunzip = createGunzip()
  const closed = new Promise((resolve) => void gunzip.once('close', resolve))
  const fed = (async () => {
    for await (const chunk of bytes) {
      if (!gunzip.write(chunk))
        await Promise.race([new Promise((resolve) => void gunzip.once('drain', resolve)), closed])
    }
    gunzip.end()
  })()
  fed.catch((error: Error) => gunzip.destroy(error))
  yield* gunzip as AsyncIterable<Uint8Array>
  await fed
}

async function measured(bytes: Bytes, like: Digest): Promise<{digest: Digest; size: number}> {
  const hash = createHash(algorithmOf(like))
  let size = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
  }
  return {digest: digestFrom(hash, algorithmOf(like)), size}
}
