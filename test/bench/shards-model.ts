/** Content of one size. The same key is the same content. */
export interface ModelBlob {
  readonly key: string
  readonly bytes: number
}

export interface ModelImage {
  readonly repository: string
  readonly tag: string
  readonly blobs: readonly ModelBlob[]
}

export interface Network {
  /** Bytes per second of a shard's network card. */
  readonly card: number
  /** Bytes per second that the registry takes from all shards together. */
  readonly registry: number
  /** Requests per second that the registry answers. */
  readonly requests: number
  /** Seconds from a request to its answer. */
  readonly latency: number
  /** Transfers at once in each shard. */
  readonly concurrency: number
}

export interface Outcome {
  /** Seconds until the last shard is done. */
  readonly seconds: number
  readonly bytes: number
  readonly requests: number
  /** Bytes of the shard with most, as a multiple of the mean. */
  readonly unevenness: number
}

/** HEAD, POST and PUT of a blob; HEAD of the tag, and PUT of the manifest. */
const REQUESTS_A_BLOB = 3
const REQUESTS_AN_IMAGE = 2

interface Work {
  readonly requests: number
  readonly bytes: number
}

interface Lane {
  readonly shard: number
  /** Requests and bytes that are left of its work. */
  requests: number
  bytes: number
  /** When its request is answered; absent while it transfers or has nothing to do. */
  answeredAt: number | undefined
}

/**
 * Simulates shards that fill an empty registry at once, from event to event. A card is shared evenly by the transfers of its shard, the
 * registry's rate evenly by the shards, and its requests are answered one after the other. Shards send what they share twice, because
 * no shard knows what another has put.
 */
export function simulate(shards: readonly (readonly ModelImage[])[], network: Network): Outcome {
  const queues = shards.map(workOf)
  const sent = queues.map((queue) => queue.reduce((sum, {bytes}) => sum + bytes, 0))
  const lanes: Lane[] = shards.flatMap((_, shard) =>
    Array.from({length: network.concurrency}, () => ({shard, requests: 0, bytes: 0, answeredAt: undefined})),
  )
  let now = 0
  let registryFreeAt = 0
  let requests = 0
  const ask = (lane: Lane): void => {
    registryFreeAt = Math.max(registryFreeAt, now) + 1 / network.requests
    lane.requests -= 1
    lane.answeredAt = registryFreeAt + network.latency
    requests += 1
  }
  const begin = (lane: Lane): boolean => {
    const work = queues[lane.shard]?.pop()
    if (work === undefined) return false
    lane.requests = work.requests
    lane.bytes = work.bytes
    ask(lane)
    return true
  }
  let busy = lanes.filter(begin)
  while (busy.length > 0) {
    const flows = busy.filter(({answeredAt}) => answeredAt === undefined)
    const active = new Map<number, number>()
    for (const {shard} of flows) active.set(shard, (active.get(shard) ?? 0) + 1)
    const ofShard = Math.min(network.card, network.registry / Math.max(1, active.size))
    const rateOf = ({shard}: Lane): number => ofShard / (active.get(shard) ?? 1)
    let next = Infinity
    for (const lane of busy) next = Math.min(next, lane.answeredAt ?? now + lane.bytes / rateOf(lane))
    for (const flow of flows) flow.bytes -= (next - now) * rateOf(flow)
    now = next
    busy = busy.filter((lane) => {
      if (lane.answeredAt !== undefined) {
        if (lane.answeredAt > now) return true
        lane.answeredAt = undefined
        if (lane.requests > 0) {
          ask(lane)
          return true
        }
      }
      // Less than a byte is left by rounding.
      return lane.bytes >= 1 || begin(lane)
    })
  }
  const bytes = sent.reduce((sum, one) => sum + one, 0)
  return {
    seconds: now,
    bytes,
    requests,
    unevenness: bytes === 0 ? 1 : (Math.max(...sent) * sent.length) / bytes,
  }
}

/** The largest last, because the last is taken first. */
function workOf(images: readonly ModelImage[]): Work[] {
  const blobs = new Map(images.flatMap((image) => image.blobs.map(({key, bytes}) => [key, bytes] as const)))
  return [
    ...images.map(() => ({requests: REQUESTS_AN_IMAGE, bytes: 0})),
    ...[...blobs.values()]
      .toSorted((one, other) => one - other)
      .map((bytes) => ({requests: REQUESTS_A_BLOB, bytes})),
  ]
}
