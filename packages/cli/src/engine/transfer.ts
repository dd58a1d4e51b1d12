import {
  contentKey,
  hexOf,
  inSpan,
  isMirrorError,
  isPending,
  verified,
  type BlobOutcome,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  type ImageSink,
  type ImageSource,
  type Manifest,
  type MirrorError,
  type PendingImage,
  type Content,
  isForeignLayerType,
} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from './events.js'
import type {KnownLayers} from './known-layers.js'
import type {BlobTransfer, ManifestTransfer, Transfer} from './plan.js'
import type {Proof} from './probe-below.js'

export type TransferResult =
  | {readonly status: 'blob'; readonly outcome: BlobOutcome}
  | {readonly status: 'manifest'; readonly descriptor: Descriptor; readonly substituted?: string}
  | {readonly status: 'failed'; readonly error: MirrorError}

/** The means of a transfer: source, sink, plan and earlier results. */
export interface TransferContext {
  readonly source: ImageSource
  readonly sink: ImageSink
  /** A share of the source's blob, read instead of the blob itself. */
  readonly blob?: BlobSource
  readonly manifests: ReadonlyMap<Digest, Manifest>
  /** The pending image at a place in the plan's images. */
  readonly pending: (image: number) => PendingImage | undefined
  readonly transfers: readonly Transfer[]
  readonly results: ReadonlyMap<number, TransferResult>
  readonly layers?: KnownLayers
  /** Absent: as in `PrepareOptions`. */
  readonly proof?: Proof
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
}

/** Brings one content into one repository. */
export async function putBlob(
  transfer: BlobTransfer,
  context: TransferContext & {readonly onSent: (sent: number) => void},
): Promise<TransferResult> {
  const {source, sink, onEvent, transfers, results, signal} = context
  const {repository, content} = transfer
  const first = transfer.after === undefined ? undefined : results.get(transfer.after)
  const sibling = first?.status === 'blob' ? (transfers[transfer.after ?? -1] as BlobTransfer) : undefined
  const final = first?.status === 'blob' ? first.outcome.descriptor : transfer.known
  const blob = context.blob ?? source.blob(content)
  let sentSoFar = 0
  const event = {
    type: 'blob',
    key: String(transfer.id),
    name: `${repository}@${hexOf(contentKey(content)).slice(0, 12)}`,
    size: content.size,
    planned: transfer.after === undefined ? content.size : 0,
  } as const
  onEvent({...event, state: 'started', sent: 0})
  const release = blob.hold?.()
  const letGo = blob.keep?.()
  try {
    const put = (known: BlobSource): Promise<BlobOutcome> =>
      sink.putBlob(repository, known, {
        mountFrom: [...(sibling === undefined ? [] : [sibling.repository]), ...transfer.mountFrom],
        recheck: context.proof === 'content',
        signal,
        onProgress: (sent) => {
          sentSoFar = sent
          context.onSent(sent)
          onEvent({...event, state: 'progress', sent})
        },
        onFinal: isPending(content) ? async (made) => context.layers?.note(content, made) : undefined,
      })
    const outcome = await inSpan(
      () => ({kind: 'blob', name: event.name, details: {size: event.size}}),
      () => putContent(blob, {final, layers: context.layers}, put),
      ({how}) => ({how}),
    )
    const sent = outcome.how === 'uploaded' ? outcome.descriptor.size : 0
    onEvent({...event, state: outcome.how, sent})
    return {status: 'blob', outcome}
  } catch (error) {
    onEvent({...event, state: 'failed', sent: sentSoFar})
    throw error
  } finally {
    release?.()
    letGo?.()
  }
}

/** Sends a pending layer by its known final form. If compression gives other bytes, sends the layer by itself. */
async function putContent(
  blob: BlobSource,
  {final, layers}: {readonly final: Descriptor | undefined; readonly layers: KnownLayers | undefined},
  put: (blob: BlobSource) => Promise<BlobOutcome>,
): Promise<BlobOutcome> {
  const {content} = blob
  if (!isPending(content) || final === undefined) return put(blob)
  const finished = finishedBlob(blob, final)
  try {
    return await put(finished)
  } catch (error) {
    if (!finished.isOther()) throw error
    await layers?.forget(content)
    return put(blob)
  }
}

/** Stores one manifest; a sparse index that the registry does not take is replaced by its fallback. */
export async function putManifest(
  transfer: ManifestTransfer,
  context: TransferContext,
): Promise<TransferResult> {
  const {sink, manifests, signal} = context
  const manifest =
    transfer.digest === undefined ? pendingManifest(transfer, context) : manifests.get(transfer.digest)
  if (manifest === undefined)
    throw new Error(`the plan names a manifest it does not hold: ${transfer.digest}`)
  let stored: Digest | undefined
  const options = {
    signal,
    onStored: (digest: Digest): void => {
      stored = digest
    },
  }
  try {
    await sink.putManifest(transfer.target, manifest, options)
  } catch (error) {
    if (!isMirrorError(error)) throw error
    const fallback = transfer.fallback === undefined ? undefined : manifests.get(transfer.fallback.digest)
    if (fallback !== undefined && (error.code === 'BLOB_UNKNOWN' || error.code === 'MANIFEST_REJECTED')) {
      const {tag, ...rest} = transfer.target
      const digest = fallback.descriptor.digest
      const target =
        tag === undefined ? {...rest, digest} : {registry: rest.registry, repository: rest.repository, tag}
      await sink.putManifest(target, fallback, options)
      return {
        status: 'manifest',
        descriptor: known(fallback.descriptor, stored),
        substituted: transfer.fallback?.reason ?? '',
      }
    }
    if (error.code !== 'BLOB_UNKNOWN') throw error
    await pushAgain(transfer, context)
    await sink.putManifest(transfer.target, manifest, options)
  }
  const descriptor = known(manifest.descriptor, stored)
  if (descriptor === manifest.descriptor) return {status: 'manifest', descriptor}
  return {
    status: 'manifest',
    descriptor,
    substituted: `the registry knows the manifest only as ${descriptor.digest}`,
  }
}

/** As the target says that it knows a manifest; as it is here if the target does not say. */
function known(descriptor: Descriptor, stored: Digest | undefined): Descriptor {
  return stored === undefined || stored === descriptor.digest ? descriptor : {...descriptor, digest: stored}
}

/** Sends everything below a refused manifest again, once, because the registry may have lost blobs it said it had. */
async function pushAgain(transfer: ManifestTransfer, context: TransferContext): Promise<void> {
  const {source, sink, manifests, transfers, results, signal} = context
  for (const id of transfer.needs) {
    const need = transfers[id]
    if (need?.kind === 'blob') {
      const result = results.get(id)
      const blob = source.blob(need.content)
      const final =
        result?.status === 'blob' && isPending(need.content) ? result.outcome.descriptor : undefined
      await sink.putBlob(need.repository, final === undefined ? blob : finishedBlob(blob, final), {
        absent: true,
        signal,
      })
    } else if (need?.digest !== undefined) {
      const manifest = manifests.get(need.digest)
      await pushAgain(need, context)
      if (manifest !== undefined) await sink.putManifest(need.target, manifest, {signal})
    }
  }
}

function pendingManifest(
  transfer: ManifestTransfer,
  {pending: pendingOf, transfers, results}: TransferContext,
): Manifest | undefined {
  const pending = pendingOf(transfer.image)
  const final = new Map<Digest, Descriptor>()
  for (const id of transfer.needs) {
    const need = transfers[id]
    const result = results.get(id)
    if (need?.kind === 'blob' && result?.status === 'blob')
      final.set(contentKey(need.content), result.outcome.descriptor)
  }
  const layers = pending?.layers.map((layer) => final.get(contentKey(layer)) ?? foreign(layer))
  return layers?.every((layer) => layer !== undefined) === true ? pending?.manifest(layers) : undefined
}

/** A foreign layer that was not sent stays in the manifest as it is. */
function foreign(layer: Content): Descriptor | undefined {
  return isPending(layer) || !isForeignLayerType(layer.mediaType) ? undefined : layer
}

interface FinishedBlob extends BlobSource {
  /** Returns true if compression gave other bytes than expected although the source was read without error. */
  isOther(): boolean
}

/** A pending layer whose final form is known. Compressing it again must give the same bytes. */
function finishedBlob(blob: BlobSource, final: Descriptor): FinishedBlob {
  let isOther = false
  async function* checked(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
    let isSource = false
    async function* watched(): Bytes {
      try {
        yield* bytes
      } catch (error) {
        isSource = true
        throw error
      }
    }
    try {
      yield* verified(watched(), final, {what: `layer ${final.digest}`})
    } catch (error) {
      isOther = !isSource
      throw error
    }
  }
  return {
    content: final,
    open: (options) => (options?.offset ? blob.open(options) : checked(blob.open(options))),
    isOther: () => isOther,
  }
}
