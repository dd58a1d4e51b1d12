import {
  cancelled,
  contentKey,
  formatReference,
  inSpan,
  isMirrorError,
  type MirrorError,
  type BlobSource,
  type ImageSink,
  type ImageSource,
} from '@airgap-mirror/oci-client/model'
import type {BlobTransfer, ManifestTransfer, Plan, Transfer} from './plan.js'
import {isNearlyDone, startOrder} from './schedule.js'
import {notTried} from './not-tried.js'
import type {Stop} from './stop.js'
import {putBlob, putManifest, type TransferContext, type TransferResult} from './transfer.js'

export interface ExecuteOptions extends Omit<
  TransferContext,
  'transfers' | 'results' | 'sink' | 'blob' | 'signal'
> {
  readonly source: ImageSource
  /** By the `sink` of a transfer. */
  readonly sinks: readonly ImageSink[]
  /** Reads a blob once for several sinks; needed only if there are several. */
  readonly share?: (blob: BlobSource, readers: number) => readonly BlobSource[]
  /** Blobs in flight. */
  readonly concurrency: number
  /** Blobs of up to 1 MiB in flight, in addition to larger ones, because they mostly wait for answers. Absent: no difference. */
  readonly smallBlobs?: number
  /** Start nothing more after the first failure. */
  readonly failFast: boolean
  /** Called once for each transfer that is begun. */
  readonly onStarted?: (transfer: Transfer) => void
  /** Called once for each transfer that has ended. */
  readonly onSettled: (transfer: Transfer, result: TransferResult) => void
  readonly stop: Stop
}

/**
 * Carries out a plan: blobs, then manifests by digest, then indexes, then tags. Never rejects because a transfer fails:
 * its result has the error. Transfers that need it fail with the same error, and the rest goes on.
 */
export function execute(plan: Plan, options: ExecuteOptions): Promise<ReadonlyMap<number, TransferResult>> {
  return new Execution(plan, options).run()
}

class Execution {
  readonly #results = new Map<number, TransferResult>()
  readonly #transfers: readonly Transfer[]
  readonly #options: ExecuteOptions
  /** By the `sink` of a transfer. Each transfer has a copy, so that nothing is in them that it does not need. */
  readonly #contexts: readonly Omit<TransferContext, 'signal'>[]
  /** Transfers that wait for one, by its id. */
  readonly #waiting = new Map<number, Transfer[]>()
  /** The number of transfers that a manifest still waits for. */
  readonly #open = new Map<number, number>()
  readonly #lanes: readonly Lane[]
  readonly #manifests: ManifestTransfer[] = []
  readonly #running: Running[] = []
  #activeManifests = 0
  #stopped: MirrorError | undefined
  #finished: () => void = () => {}
  /** Ends everything. For bugs, not for the failure of a transfer. */
  #fail: (bug: unknown) => void = () => {}

  constructor(plan: Plan, options: ExecuteOptions) {
    this.#transfers = plan.transfers
    this.#options = options
    const {source, proof, manifests, pending, layers, onEvent} = options
    const {transfers} = plan
    const shared = {source, proof, manifests, pending, layers, onEvent, transfers, results: this.#results}
    this.#contexts = options.sinks.map((sink) => ({...shared, sink}))
    const blobs = plan.transfers.filter((transfer) => transfer.kind === 'blob')
    this.#lanes = lanesFor(inGroups(startOrder(blobs, options.source.access)), options)
    for (const blob of blobs) if (blob.after !== undefined) this.#wait(blob.after, blob)
    for (const transfer of plan.transfers) {
      if (transfer.kind !== 'manifest') continue
      const needs = new Set(transfer.needs)
      this.#open.set(transfer.id, needs.size)
      for (const need of needs) this.#wait(need, transfer)
      if (needs.size === 0) this.#manifests.push(transfer)
    }
  }

  async run(): Promise<ReadonlyMap<number, TransferResult>> {
    const {soon, now} = this.#options.stop
    const stop = (): void => this.#stop(cancelled(soon))
    const leave = (): void => {
      this.#stop(cancelled(now))
      for (const {abort} of this.#running) abort.abort(now.reason)
    }
    soon.addEventListener('abort', stop, {once: true})
    now.addEventListener('abort', leave, {once: true})
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finished = resolve
        this.#fail = reject
        if (now.aborted) leave()
        else if (soon.aborted) stop()
        this.#pump()
      })
    } finally {
      soon.removeEventListener('abort', stop)
      now.removeEventListener('abort', leave)
    }
    return this.#results
  }

  #wait(id: number, transfer: Transfer): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) this.#waiting.set(id, [transfer])
    else waiting.push(transfer)
  }

  #pump(): void {
    const {concurrency} = this.#options
    while (this.#activeManifests < 2 * concurrency) {
      const manifest = this.#manifests.shift()
      if (manifest === undefined) break
      this.#activeManifests++
      void this.#guard(manifest, this.#putManifest(manifest)).finally(() => {
        this.#activeManifests--
        this.#pump()
      })
    }
    for (const lane of this.#lanes) {
      while (lane.active < lane.most) {
        const group = lane.urgent.shift() ?? lane.groups[lane.next++]
        if (group === undefined) break
        lane.active++
        void this.#putBlobs(group).finally(() => {
          lane.active--
          this.#pump()
        })
      }
    }
    if (this.#results.size === this.#transfers.length && this.#isIdle()) this.#finished()
  }

  #isIdle(): boolean {
    return this.#activeManifests === 0 && this.#lanes.every(({active}) => active === 0)
  }

  async #guard(transfer: Transfer, work: Promise<TransferResult>): Promise<void> {
    try {
      this.#settle(transfer, await work)
    } catch (error) {
      if (!isMirrorError(error)) return this.#fail(error)
      this.#settle(transfer, {status: 'failed', error})
      if (this.#options.failFast) this.#stop(notTried())
    }
  }

  #settle(transfer: Transfer, result: TransferResult): void {
    if (this.#results.has(transfer.id)) return
    this.#results.set(transfer.id, result)
    this.#options.onSettled(transfer, result)
    for (const next of this.#waiting.get(transfer.id) ?? []) {
      if (this.#results.has(next.id)) continue
      if (next.kind === 'blob') {
        if (this.#stopped === undefined) this.#lanes.find(({takes}) => takes(next))?.urgent.push([next])
        else this.#settle(next, {status: 'failed', error: this.#stopped})
      } else if (result.status === 'failed') {
        this.#settle(next, result)
      } else {
        const open = (this.#open.get(next.id) ?? 1) - 1
        this.#open.set(next.id, open)
        if (open === 0) this.#manifests.push(next)
      }
    }
  }

  #putManifest(transfer: ManifestTransfer): Promise<TransferResult> {
    this.#options.onStarted?.(transfer)
    const context = {...this.#contextOf(transfer), signal: this.#options.stop.now}
    return inSpan(
      () => ({kind: 'manifest', name: formatReference(transfer.target)}),
      () => putManifest(transfer, context),
    )
  }

  /** Starts all transfers of a group before any of them reads, so that they can share the reading. */
  async #putBlobs([first, ...others]: BlobGroup): Promise<void> {
    const {source, share} = this.#options
    const shared = others.length === 0 ? undefined : share?.(source.blob(first.content), 1 + others.length)
    await Promise.all(
      [first, ...others].map((transfer, index) =>
        this.#guard(transfer, this.#putBlob(transfer, shared?.[index])),
      ),
    )
  }

  async #putBlob(transfer: BlobTransfer, blob: BlobSource | undefined): Promise<TransferResult> {
    this.#options.onStarted?.(transfer)
    const run: Running = {abort: new AbortController(), sent: 0, size: transfer.content.size}
    const {signal} = run.abort
    const onSent = (sent: number): void => void (run.sent = sent)
    this.#running.push(run)
    try {
      return await putBlob(transfer, {...this.#contextOf(transfer), blob, signal, onSent})
    } finally {
      this.#running.splice(this.#running.indexOf(run), 1)
    }
  }

  #contextOf({sink: index = 0}: Transfer): Omit<TransferContext, 'signal'> {
    const context = this.#contexts[index]
    if (context === undefined) throw new Error(`the plan names target ${index} of ${this.#contexts.length}`)
    return context
  }

  /** Starts nothing more. Transfers that are almost complete go on, and their tags follow; others are given up. */
  #stop(reason: MirrorError): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    for (const lane of this.#lanes) {
      const unstarted = [...lane.urgent.splice(0), ...lane.groups.slice(lane.next)].flat()
      lane.next = lane.groups.length
      for (const blob of unstarted) this.#settle(blob, {status: 'failed', error: reason})
    }
    for (const {abort, sent, size} of this.#running) if (!isNearlyDone(sent, size)) abort.abort(reason)
    this.#pump()
  }
}

interface Running {
  readonly abort: AbortController
  sent: number
  readonly size: number
}

type BlobGroup = readonly [BlobTransfer, ...BlobTransfer[]]

/** The same content for several targets, in the place of the first. */
function inGroups(blobs: readonly BlobTransfer[]): readonly BlobGroup[] {
  const groups = new Map<string, [BlobTransfer, ...BlobTransfer[]]>()
  for (const blob of blobs) {
    const key = contentKey(blob.content)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [blob])
    else group.push(blob)
  }
  return [...groups.values()]
}

/** Blobs that are started one after the other, each as soon as there is room. */
interface Lane {
  readonly takes: (blob: BlobTransfer) => boolean
  /** In flight at most. */
  readonly most: number
  /** In the order in which they are started. A blob for several targets is read once and started for all together. */
  readonly groups: readonly BlobGroup[]
  /** Those that became ready only now, before the others. */
  readonly urgent: BlobGroup[]
  next: number
  active: number
}

const SMALL = 1024 * 1024

/** Small blobs do not wait for large ones. Otherwise all configs would come last, one after the other. */
function lanesFor(
  groups: readonly BlobGroup[],
  {concurrency, smallBlobs}: Pick<ExecuteOptions, 'concurrency' | 'smallBlobs'>,
): readonly Lane[] {
  const lane = (most: number, takes: Lane['takes']): Lane => {
    const own = groups.filter(([first]) => takes(first))
    return {takes, most, groups: own, urgent: [], next: 0, active: 0}
  }
  if (smallBlobs === undefined) return [lane(concurrency, () => true)]
  return [
    lane(concurrency, ({content}) => content.size > SMALL),
    lane(smallBlobs, ({content}) => content.size <= SMALL),
  ]
}
