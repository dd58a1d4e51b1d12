import {
  afterQuestion,
  isInconclusive,
  type ImageSource,
  type MirrorError,
} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../report/report-error.js'
import type {ReportImage} from '../report/report.js'
import type {Pair} from './pair.js'
import type {OnEvent} from './events.js'
import {blobsOf, isNeeded, nodesOf} from './gather.js'
import type {PlannedImage, Plan, Transfer} from './plan.js'
import type {TransferResult} from './transfer.js'

export interface MirrorResult {
  readonly images: readonly ReportImage[]
  readonly blobs: {readonly uploaded: number; readonly mounted: number; readonly present: number}
  readonly bytes: {
    readonly uploaded: number
    readonly present: number
    readonly mounted: number
    readonly toSend?: number
  }
}

interface TallyOptions {
  readonly pairs: readonly Pair[]
  readonly source: ImageSource
  readonly onEvent: OnEvent
  /** Aborted when the run is asked to stop. */
  readonly interrupted: AbortSignal
  /** Images of the run that are not in the plan: those that needed none, and those that failed before. */
  readonly before?: {readonly quiet: number; readonly told: number}
}

type Ending = Omit<ReportImage, 'source' | 'target' | 'bytesUploaded' | 'attempts'>

/** Counts the results of a plan, and reports the end of each image. */
export class Tally {
  readonly #plan: Plan
  readonly #options: TallyOptions
  readonly #blobs = {uploaded: 0, mounted: 0, present: 0}
  readonly #bytes = {uploaded: 0, mounted: 0, present: 0}
  readonly #sent = new Map<number, number>()
  readonly #attempts = new Map<number, number>()
  /** When the first transfer of each image began. */
  readonly #began = new Map<number, number>()
  readonly #ended = new Map<number, ReportImage>()
  readonly #imagesOfRoot = new Map<number, number[]>()

  constructor(plan: Plan, options: TallyOptions) {
    this.#plan = plan
    this.#options = options
    for (const [index, {root}] of plan.images.entries()) {
      if (root === undefined) continue
      const sharing = this.#imagesOfRoot.get(root)
      if (sharing === undefined) this.#imagesOfRoot.set(root, [index])
      else sharing.push(index)
    }
  }

  /** Announces the work, and the images that are done before it begins. */
  begin(): void {
    this.#countPresent()
    const blobs = this.#plan.transfers.filter((transfer) => transfer.kind === 'blob')
    const toMount = blobs.filter(({after}) => after !== undefined)
    const {quiet = 0, told = 0} = this.#options.before ?? {}
    this.#options.onEvent({
      type: 'plan',
      images: this.#plan.images.length + quiet + told,
      blobs: blobs.length,
      bytes: sizeOf(blobs) - sizeOf(toMount),
      toMount: {blobs: toMount.length, bytes: sizeOf(toMount)},
      present: {blobs: this.#blobs.present, bytes: this.#bytes.present},
      ended: quiet || undefined,
    })
    for (const [index, image] of this.#plan.images.entries()) {
      if (image.status === 'present') this.#end(index, {status: 'present', ...digestsOf(image)})
      if (image.status === 'failed') this.#end(index, this.#failure(image, image.error))
    }
  }

  readonly started = ({image}: Transfer): void => {
    if (!this.#began.has(image)) this.#began.set(image, performance.now())
  }

  readonly settled = (transfer: Transfer, result: TransferResult): void => {
    if (result.status === 'blob') this.#countBlob(transfer, result)
    for (const index of this.#imagesOfRoot.get(transfer.id) ?? []) {
      const image = this.#plan.images[index]
      if (image === undefined) continue
      if (result.status === 'failed') {
        if (result.error.code !== 'CANCELLED') this.#attempts.set(index, this.#attempts.get(index) ?? 1)
        this.#end(index, this.#failure(image, result.error))
      } else if (result.status === 'manifest') {
        const reason = result.substituted ?? image.digestChanged
        const changed = reason !== undefined && result.descriptor.digest !== image.sourceDigest
        this.#end(index, {
          status: 'pushed',
          sourceDigest: image.sourceDigest,
          targetDigest: result.descriptor.digest,
          digestChanged: changed,
          reason: changed ? reason : undefined,
        })
      }
    }
  }

  /** A dry run's result. @param absent the blob transfers that would have to send */
  planned(absent: ReadonlySet<number>): MirrorResult {
    this.#countPresent()
    const toSend = new Map<number, number>()
    for (const transfer of this.#plan.transfers) {
      if (transfer.kind !== 'blob' || !absent.has(transfer.id)) continue
      toSend.set(transfer.image, (toSend.get(transfer.image) ?? 0) + transfer.content.size)
    }
    const images = this.#plan.images.map((image, index): ReportImage => {
      const base = {source: image.source, target: image.target, bytesUploaded: 0, attempts: 0}
      if (image.status === 'failed') return {...base, ...this.#failure(image, image.error)}
      return {...base, status: image.status, ...digestsOf(image), bytesToSend: toSend.get(index) ?? 0}
    })
    const total = [...toSend.values()].reduce((sum, bytes) => sum + bytes, 0)
    return {images, blobs: this.#blobs, bytes: {...this.#bytes, toSend: total}}
  }

  finished(): MirrorResult {
    const images = this.#plan.images.map((image, index): ReportImage => {
      const {source, target} = image
      const bytesUploaded = this.#sent.get(index) ?? 0
      const ended = this.#ended.get(index)
      if (ended === undefined) throw new Error(`${source} was planned and never ended`)
      const attempts = this.#attempts.get(index) ?? (ended.status === 'pushed' ? 1 : 0)
      return {...ended, source, target, bytesUploaded, attempts}
    })
    return {images, blobs: this.#blobs, bytes: this.#bytes}
  }

  #failure({sourceDigest, unclear}: PlannedImage, refused: MirrorError | undefined): Ending {
    const error = withQuestion(refused, unclear)
    const untried = this.#options.interrupted.aborted ? 'cancelled' : 'skipped'
    return {
      status: error?.code === 'CANCELLED' ? untried : error?.code === 'TAG_CHANGED' ? 'drifted' : 'failed',
      sourceDigest,
      digestChanged: false,
      error: reportErrorOf(error),
    }
  }

  #end(index: number, ending: Ending): void {
    const image = this.#plan.images[index]
    if (image === undefined) return
    const {source, target} = image
    const began = this.#began.get(index)
    const durationMs = began === undefined ? undefined : Math.round(performance.now() - began)
    this.#ended.set(index, {source, target, bytesUploaded: 0, attempts: 0, durationMs, ...ending})
    this.#options.onEvent({
      type: 'image',
      source,
      target,
      status: ending.status,
      digest: ending.targetDigest,
      error: ending.error,
    })
  }

  #countBlob(transfer: Transfer, {outcome}: TransferResult & {status: 'blob'}): void {
    this.#blobs[outcome.how]++
    if (outcome.how !== 'uploaded') {
      this.#bytes[outcome.how] += outcome.descriptor.size
      return
    }
    this.#bytes.uploaded += outcome.sent
    this.#sent.set(transfer.image, (this.#sent.get(transfer.image) ?? 0) + outcome.sent)
    this.#attempts.set(transfer.image, Math.max(this.#attempts.get(transfer.image) ?? 0, outcome.attempts))
  }

  /** An image that is there has its blobs there: a tag is never put before its content. */
  #countPresent(): void {
    const counted = new Set<string>()
    for (const [index, image] of this.#plan.images.entries()) {
      const {image: content, target} = this.#options.pairs[index] ?? {}
      if (image.status !== 'present' || content === undefined || 'error' in content) continue
      const blobs =
        'pending' in content
          ? [content.pending.config, ...content.pending.layers].filter((blob) =>
              isNeeded(blob, this.#options.source),
            )
          : nodesOf(content.node).flatMap(({manifest}) => blobsOf(manifest, this.#options.source))
      for (const blob of blobs) {
        const key = `${target?.registry}/${target?.repository}@${'diffId' in blob ? blob.diffId : blob.digest}`
        if (counted.has(key)) continue
        counted.add(key)
        this.#blobs.present++
        this.#bytes.present += blob.size
      }
    }
  }
}

function sizeOf(blobs: readonly {readonly content: {readonly size: number}}[]): number {
  return blobs.reduce((sum, {content}) => sum + content.size, 0)
}

/** The registry's answer when it was asked for the image, in the message for its refusal. */
function withQuestion(
  refused: MirrorError | undefined,
  unclear: MirrorError | undefined,
): MirrorError | undefined {
  if (refused === undefined || unclear === undefined || refused.side !== 'target') return refused
  return refused.code === 'CANCELLED' || isInconclusive(refused.cause)
    ? refused
    : afterQuestion(refused, unclear)
}

type Digests = Pick<ReportImage, 'sourceDigest' | 'targetDigest' | 'digestChanged' | 'reason'>

function digestsOf({sourceDigest, targetDigest, digestChanged}: PlannedImage): Digests {
  const changed = digestChanged !== undefined && (sourceDigest === undefined || sourceDigest !== targetDigest)
  return {
    sourceDigest,
    targetDigest,
    digestChanged: changed,
    reason: changed ? digestChanged : undefined,
  }
}
