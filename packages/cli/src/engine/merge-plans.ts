import {contentKey} from '@airgap-mirror/oci-client/model'
import type {Plan, PlannedImage, Transfer} from './plan.js'

/**
 * Merges the plans of several targets, in their order; each transfer names its target. If two targets are in one registry,
 * content is sent once and mounted for the other.
 * @param registries of the targets
 */
export function mergePlans(plans: readonly Plan[], registries: readonly string[]): Plan {
  const [only, ...others] = plans
  if (only !== undefined && others.length === 0) return only
  const images: PlannedImage[] = []
  const transfers: Transfer[] = []
  const firstAt = new Map<string, number>()
  for (const [sink, plan] of plans.entries()) {
    const id = transfers.length
    const image = images.length
    for (const planned of plan.images)
      images.push(planned.root === undefined ? planned : {...planned, root: planned.root + id})
    for (const transfer of plan.transfers) {
      const own = moved(transfer, {id, image, sink})
      if (own.kind === 'manifest' || own.after !== undefined) {
        transfers.push(own)
        continue
      }
      const key = `${registries[sink]} ${contentKey(own.content)}`
      const after = firstAt.get(key)
      if (after === undefined) firstAt.set(key, own.id)
      transfers.push(after === undefined ? own : {...own, after})
    }
  }
  return {images, transfers}
}

function moved(transfer: Transfer, by: {id: number; image: number; sink: number}): Transfer {
  const own = {id: transfer.id + by.id, image: transfer.image + by.image, sink: by.sink}
  if (transfer.kind === 'manifest')
    return {...transfer, ...own, needs: transfer.needs.map((need) => need + by.id)}
  return {...transfer, ...own, after: transfer.after === undefined ? undefined : transfer.after + by.id}
}
