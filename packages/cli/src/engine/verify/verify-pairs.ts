import pLimit from 'p-limit'
import {
  cancelled,
  formatReference,
  isForeignLayerType,
  isMirrorError,
  MirrorError,
  type CallOptions,
  type Digest,
  type ImageSink,
  type ImageSource,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportImage} from '../../report/report.js'
import type {OnEvent} from '../events.js'
import {blobsOf, isNeeded, nodesOf, type ImageNode} from '../gather.js'
import {prepare} from '../mirror.js'
import type {Pair} from '../pair.js'
import type {PlannedImage} from '../plan.js'
import type {SparsePolicy} from '../sparse.js'
import {Checks, isDifference, TARGET, together, type ReadBack, type Required} from './checks.js'

export interface VerifyOptions extends CallOptions {
  readonly source: ImageSource
  readonly sink: ImageSink
  /** `host[:port]`. */
  readonly registry: string
  readonly sparse: SparsePolicy
  /** Requests at once. */
  readonly concurrency: number
  /** Absent: content is only asked for, not read. */
  readonly readBack?: ReadBack
  readonly onEvent: OnEvent
}

export interface Verified {
  /** One for each pair, in their order: `verified`, `differs` or `failed`. */
  readonly images: readonly ReportImage[]
  /** Blobs that the target holds, each counted once a repository. */
  readonly blobs: {readonly present: number}
  readonly bytes: {readonly present: number}
}

/**
 * Proves that a target holds what a push of these pairs would put there: tags, manifests, configs, layers, referrers.
 * An image that the target cannot be asked for has failed, and the others go on.
 * @throws {MirrorError} CANCELLED
 */
export async function verifyPairs(pairs: readonly Pair[], options: VerifyOptions): Promise<Verified> {
  const {concurrency, onEvent, signal} = options
  const planned = await plannedImages(pairs, options)
  const checks = new Checks(options)
  onEvent({type: 'plan', images: pairs.length, blobs: 0, bytes: 0})
  const atOnce = pLimit(concurrency)
  const images = await Promise.all(
    pairs.map((pair, index) =>
      atOnce(async () => {
        const image = await verifyOne(pair, planned[index], {...options, checks})
        const {status, targetDigest, error} = image
        onEvent({
          type: 'image',
          source: image.source,
          target: image.target,
          status,
          digest: targetDigest,
          error,
        })
        return image
      }),
    ),
  )
  if (signal?.aborted === true) throw cancelled(signal)
  return {images, blobs: {present: checks.blobs}, bytes: {present: checks.bytes}}
}

/**
 * Plans the images as a push would. By default, a push gives the tag of a cut index to its only child, and a sync to an index of it:
 * both hold what was chosen.
 */
async function plannedImages(
  pairs: readonly Pair[],
  {source, sink, registry, sparse, concurrency, signal}: VerifyOptions,
): Promise<readonly PlannedImage[]> {
  const planOf = async (some: readonly Pair[], policy: SparsePolicy): Promise<readonly PlannedImage[]> => {
    const {plan} = await prepare([{sink, registry, pairs: some}], {
      source,
      sparse: policy,
      // Everything below a tag is asked for by the checks, which say what differs.
      proof: 'tag',
      concurrency,
      dryRun: false,
      signal,
    })
    return plan.images
  }
  const planned = await planOf(pairs, sparse)
  const isOpen = ({image}: Pair, index: number): boolean =>
    planned[index]?.status === 'planned' && 'node' in image && image.node.absent.length > 0
  const open = sparse === 'auto' ? pairs.filter(isOpen) : []
  if (open.length === 0) return planned
  const pruned = new Map((await planOf(open, 'prune')).map((image, index) => [open[index], image]))
  return planned.map((image, index) => {
    const other = pruned.get(pairs[index])
    return other?.status === 'present' ? other : image
  })
}

async function verifyOne(
  pair: Pair,
  planned: PlannedImage | undefined,
  options: VerifyOptions & {readonly checks: Checks},
): Promise<ReportImage> {
  const base = {...pair.label, digestChanged: false, bytesUploaded: 0, attempts: 0}
  if (pair.target === undefined || planned === undefined || planned.status === 'failed') {
    return {...base, status: 'failed', error: reportErrorOf(planned?.error)}
  }
  const {sourceDigest, targetDigest, digestChanged} = planned
  const isPresent = planned.status === 'present'
  const isMade = digestChanged !== undefined && isPresent && sourceDigest !== targetDigest
  const known = {
    ...base,
    sourceDigest,
    targetDigest: isPresent ? targetDigest : undefined,
    digestChanged: isMade,
    reason: isMade ? digestChanged : undefined,
  }
  try {
    if (planned.status !== 'present') throw await absence(pair, pair.target, options)
    const required = await contentOf(pair, {target: pair.target, digest: targetDigest, ...options})
    const wrong = (await Promise.all(required.map((one) => options.checks.check(one)))).filter(
      (error) => error !== undefined,
    )
    if (wrong.length > 0) throw together(wrong)
    return {...known, status: 'verified'}
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return {...known, status: isDifference(error) ? 'differs' : 'failed', error: reportErrorOf(error)}
  }
}

/** The error of an image that the target lacks, or that is not the one of the source. */
async function absence(pair: Pair, target: Reference, {sink, signal}: VerifyOptions): Promise<MirrorError> {
  const found = await sink.resolve(target, {signal})
  const place = pair.label.target
  if (found === undefined) {
    return new MirrorError('NOT_FOUND', `${place} is not at the registry`, TARGET)
  }
  const {image} = pair
  if ('pending' in image) {
    const what = `the config ${image.pending.config.digest}`
    return new MirrorError(
      'DIGEST_MISMATCH',
      `${place} is ${found.digest}, which does not name ${what}`,
      TARGET,
    )
  }
  const expected = 'node' in image ? image.node.manifest.descriptor.digest : 'another image'
  return new MirrorError('DIGEST_MISMATCH', `${place} is ${found.digest}, not ${expected}`, TARGET)
}

/** Everything below the manifest that the target has under the name: of the source's tree, as far as it was put there. */
async function contentOf(
  {image}: Pair,
  {
    target,
    digest,
    source,
    sink,
    signal,
  }: VerifyOptions & {readonly target: Reference; readonly digest: Digest | undefined},
): Promise<readonly Required[]> {
  const {repository} = target
  if ('node' in image && image.node.manifest.descriptor.digest === digest) {
    return nodesOf(image.node).flatMap((node) => requiredBy(node, {repository, source}))
  }
  const manifest = await sink.manifest(target, {signal})
  if (manifest === undefined) throw new MirrorError('NOT_FOUND', `${formatReference(target)} is gone`, TARGET)
  const root: Required = {repository, kind: 'manifest', descriptor: manifest.descriptor}
  if ('pending' in image) {
    if (manifest.kind === 'index') return [root]
    const layers = manifest.layers.flatMap((descriptor, index): readonly Required[] => {
      const layer = image.pending.layers[index]
      if (layer !== undefined && !isNeeded(layer, source)) return []
      const diffId = layer !== undefined && 'diffId' in layer ? layer.diffId : undefined
      return [{repository, kind: 'blob', descriptor, diffId}]
    })
    return [root, {repository, kind: 'blob', descriptor: manifest.config}, ...layers]
  }
  if (!('node' in image)) return [root]
  const put = new Set(
    manifest.kind === 'index' ? manifest.children.map((child) => child.digest) : [manifest.descriptor.digest],
  )
  return [
    root,
    ...nodesOf(image.node)
      .filter((node) => put.has(node.manifest.descriptor.digest))
      .flatMap((node) => nodesOf(node))
      .flatMap((node) => requiredBy(node, {repository, source})),
  ]
}

function requiredBy(
  {manifest, missing}: ImageNode,
  {repository, source}: {readonly repository: string; readonly source: ImageSource},
): readonly Required[] {
  const blobs = new Map(
    [...blobsOf(manifest, source), ...missing.filter((blob) => !isForeignLayerType(blob.mediaType))].map(
      (blob) => [blob.digest, blob],
    ),
  )
  return [
    {repository, kind: 'manifest', descriptor: manifest.descriptor},
    ...[...blobs.values()].map((descriptor) => ({repository, kind: 'blob' as const, descriptor})),
  ]
}
