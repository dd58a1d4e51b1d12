import type {Plan, PlannedImage, Transfer} from '../plan.js'

/** The plans of several targets as one, in their order; each transfer says whose it is. */
export const mergePlans = (plans: readonly Plan[]): Plan => {
  const images: PlannedImage[] = []
  const transfers: Transfer[] = []
  for (const [sink, plan] of plans.entries()) {
    const id = transfers.length
    const image = images.length
    for (const planned of plan.images)
      images.push(planned.root === undefined ? planned : {...planned, root: planned.root + id})
    for (const transfer of plan.transfers) transfers.push(moved(transfer, {id, image, sink}))
  }
  return {images, transfers}
}

const moved = (transfer: Transfer, by: {id: number; image: number; sink: number}): Transfer => {
  const own = {id: transfer.id + by.id, image: transfer.image + by.image, sink: by.sink}
  if (transfer.kind === 'manifest')
    return {...transfer, ...own, needs: transfer.needs.map((need) => need + by.id)}
  return {...transfer, ...own, ...(transfer.after === undefined ? {} : {after: transfer.after + by.id})}
}
