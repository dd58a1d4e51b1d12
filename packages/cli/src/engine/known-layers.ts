import pLimit from 'p-limit'
import {
  formatReference,
  isPending,
  type Descriptor,
  type Digest,
  type PendingLayer,
} from '@airgap-mirror/oci-client/model'
import type {Pair} from './pair.js'
import type {TargetState} from './probe.js'

/**
 * The compressed forms that earlier runs made of plain layers. With them the registry can be asked by digest. Results
 * are only hints: a wrong one costs time, never correctness. Must not reject.
 */
export interface KnownLayers {
  find(layer: PendingLayer): Promise<Descriptor | undefined>
  note(layer: PendingLayer, final: Descriptor): Promise<void>
  forget(layer: PendingLayer): Promise<void>
}

const LOOKUPS_AT_ONCE = 64

/** Adds the remembered layers of images that the registry lacks to the content the registry is known to have. */
export async function withKnownLayers(
  state: TargetState,
  {pairs, layers}: {readonly pairs: readonly Pair[]; readonly layers: KnownLayers},
): Promise<TargetState> {
  const wanted = new Map<Digest, PendingLayer>()
  for (const {image: content, target} of pairs) {
    if (!('pending' in content) || target === undefined || state.present.has(formatReference(target)))
      continue
    for (const layer of content.pending.layers)
      if (isPending(layer) && !state.known.has(layer.diffId)) wanted.set(layer.diffId, layer)
  }
  if (wanted.size === 0) return state
  const atOnce = pLimit(LOOKUPS_AT_ONCE)
  const found = await Promise.all(
    [...wanted].map(([diffId, layer]) =>
      atOnce(async () => ({diffId, descriptor: await layers.find(layer)})),
    ),
  )
  const known = new Map(state.known)
  for (const {diffId, descriptor} of found)
    if (descriptor !== undefined) known.set(diffId, {descriptor, repositories: []})
  const {registry, present, unclear, failed} = state
  return {
    registry,
    present,
    unclear,
    failed,
    known,
    has: (repository, digest) => state.has(repository, digest),
    lacks: (repository, digest) => state.lacks(repository, digest),
  }
}
