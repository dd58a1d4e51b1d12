import pLimit from 'p-limit'
import {
  formatReference,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSink,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {nodesOf} from './gather.js'
import type {Pair} from './pair.js'
import {mayHaveBlob} from './probe.js'

export interface RefuseLackingOptions extends CallOptions {
  /** The blobs that a delta bundle leaves out. */
  readonly leftOut: readonly Descriptor[]
  readonly sink: Pick<ImageSink, 'hasBlob'>
  readonly concurrency: number
}

/** The number of blobs that an error lists. */
const LISTED = 20

/**
 * Refuses a delta bundle, before anything is sent, if the target lacks blobs that the bundle leaves out.
 * @throws {MirrorError} BLOB_MISSING with a list of the blobs and their repositories, the errors of the target
 */
export async function refuseLacking(
  pairs: readonly Pair[],
  {leftOut, sink, concurrency, signal}: RefuseLackingOptions,
): Promise<void> {
  const wanted = wantedFrom(pairs, new Set(leftOut.map(({digest}) => digest)))
  const atOnce = pLimit(concurrency)
  const found = await Promise.all(
    [...wanted.values()].map((one) =>
      atOnce(async () => ({
        ...one,
        isThere: await mayHaveBlob({
          sink,
          repository: one.target.repository,
          digest: one.digest,
          signal,
        }),
      })),
    ),
  )
  const lacking = found.filter(({isThere}) => !isThere)
  if (lacking.length === 0) return
  const lines = lacking.slice(0, LISTED).map(({target: {registry, repository}, digest}) =>
    // Files have no registry, and no repositories.
    registry === '' ? digest : formatReference({registry, repository, digest}),
  )
  const more = lacking.length > LISTED ? ` and ${lacking.length - LISTED} more` : ''
  throw new MirrorError(
    'BLOB_MISSING',
    `the target lacks ${lacking.length} blobs that this delta bundle leaves out: ${lines.join(', ')}${more}`,
    {side: 'target', hint: 'Push the bundle that this one was made after first, or save a whole one.'},
  )
}

interface Wanted {
  readonly target: Reference
  readonly digest: Digest
}

function wantedFrom(pairs: readonly Pair[], leftOut: ReadonlySet<Digest>): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const {target, image} of pairs) {
    if (target === undefined || !('node' in image)) continue
    for (const {digest} of nodesOf(image.node).flatMap(({missing}) => missing)) {
      if (leftOut.has(digest)) wanted.set(`${target.repository}@${digest}`, {target, digest})
    }
  }
  return wanted
}
