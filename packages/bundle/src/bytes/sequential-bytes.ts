import {
  beginSpan,
  cancelled,
  isMirrorError,
  messageOf,
  MirrorError,
  type Bytes,
  type EndSpan,
} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import {Demand, type DemandRange} from './demand.js'
import {endsBefore} from './file-bytes.js'
import type {IdlePasses} from './idle-passes.js'
import type {Level} from './level.js'
import type {Usage} from './usage.js'

export interface SequentialBytesOptions {
  readonly name: string
  readonly usage: Readonly<Usage>
  /** Begins a pass and yields the plain bytes from the first byte on. Called again for each further pass. */
  readonly open: (options: {readonly signal: AbortSignal}) => Bytes
  readonly dispose: () => Promise<void>
  /** Shared with other sources that may have idle decoders at the same time. */
  readonly idle: IdlePasses
}

/** A run of the decoder through the source. `pending` holds the bytes from `position` on that have not been delivered. */
interface Pass {
  readonly iterator: AsyncIterator<Uint8Array>
  position: number
  pending: Uint8Array
}

const NOTHING = new Uint8Array()

/**
 * A source that can only be decoded from its start. One pump decodes for all readers at or after its position. It goes no
 * further than the lowest hold or the slowest reader's buffer allows, and stands still without readers. Readers behind it
 * are served by another pass, once no reader waits ahead. A pass serves the lowest of them, so there are never more
 * passes than readers.
 */
export class SequentialBytes implements ByteSource {
  readonly name: string
  readonly access = 'in-order'
  readonly usage: Readonly<Usage>
  level?: Level
  readonly #options: SequentialBytesOptions
  readonly #demands = new Set<Demand>()
  readonly #holds = new Set<{readonly offset: number}>()
  readonly #closing = new AbortController()
  #pass: Pass | undefined
  #size: number | undefined
  #pump: Promise<void> | undefined
  /** Ends the span in which a begun pass stands still. */
  #standstill: EndSpan | undefined

  constructor(options: SequentialBytesOptions) {
    this.#options = options
    this.name = options.name
    this.usage = options.usage
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const end = offset + length
    if (length <= 0 || (this.#size !== undefined && offset >= this.#size)) return NOTHING
    const parts: Uint8Array[] = []
    for await (const chunk of this.#serve({name: this.name, start: offset, end, atEnd: 'short'}, options)) {
      parts.push(chunk)
    }
    return Buffer.concat(parts)
  }

  stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    return this.#serve({name: this.name, start: offset, end: offset + length, atEnd: 'fail'}, options)
  }

  hold(offset: number): () => void {
    const hold = {offset}
    this.#holds.add(hold)
    return () => {
      if (this.#holds.delete(hold)) this.#wake()
    }
  }

  async size(options: ReadOptions = {}): Promise<number> {
    const all: DemandRange = {name: this.name, start: Infinity, end: Infinity, atEnd: 'short'}
    while (this.#size === undefined) for await (const _ of this.#serve(all, options));
    return this.#size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return
    const closed = new MirrorError('CANCELLED', `${this.name} was closed`, {side: 'source'})
    this.#closing.abort(closed)
    this.#standstill?.()
    this.#options.idle.resume(this.#giveUpPass)
    for (const demand of this.#demands) demand.fail(closed)
    this.#demands.clear()
    await this.#pump
    await this.#endPass()
    await this.#options.dispose()
  }

  async *#serve(range: DemandRange, {signal}: ReadOptions): Bytes {
    throwIfAborted(signal)
    throwIfAborted(this.#closing.signal)
    if (range.start === range.end && range.start !== Infinity) return
    if (this.#size !== undefined && range.atEnd === 'fail' && range.end > this.#size) {
      throw endsBefore(this.name, {size: this.#size, wanted: range.end})
    }
    const demand = new Demand(range)
    const abort = () => this.#drop(demand, cancelled(signal))
    signal?.addEventListener('abort', abort, {once: true})
    this.#demands.add(demand)
    this.#wake()
    try {
      for (;;) {
        const chunk = await demand.inbox.next()
        if (chunk === undefined) return
        this.#wake()
        yield chunk
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#drop(demand, undefined)
    }
  }

  #drop(demand: Demand, error: MirrorError | undefined): void {
    if (error !== undefined) demand.fail(error)
    if (this.#demands.delete(demand)) this.#wake()
  }

  #wake(): void {
    this.#options.idle.resume(this.#giveUpPass)
    this.#standstill?.()
    this.#pump ??= this.#run()
  }

  /** Works until there is nothing to do. Deciding to stop and clearing the pump are one step, so no wake is lost. */
  async #run(): Promise<void> {
    // A reader in the middle of registering may have woken the pump: let it finish.
    await Promise.resolve()
    for (;;) {
      const step = this.#nextStep()
      if (step === 'idle') {
        this.#pump = undefined
        if (this.#pass !== undefined) this.#standstill = this.#beginStandstill()
        if (this.#pass !== undefined && this.#demands.size === 0) this.#options.idle.rest(this.#giveUpPass)
        return
      }
      if (step === 'deliver') this.#deliver()
      else if (step === 'restart') await this.#endPass()
      else await this.#pull()
    }
  }

  #beginStandstill(): EndSpan {
    return beginSpan(() => ({kind: 'waiting', name: 'decoder waits for its readers'}))
  }

  /** Ends a pass that stands still. A reader that comes meanwhile is served by the next pass. */
  readonly #giveUpPass = (): void => {
    if (this.#pump !== undefined || this.#demands.size > 0) return
    this.#pump = this.#endIdlePass()
  }

  async #endIdlePass(): Promise<void> {
    await this.#endPass()
    this.#pump = undefined
    if (this.#demands.size > 0) this.#wake()
  }

  #nextStep(): 'idle' | 'restart' | 'pull' | 'deliver' {
    if (this.#demands.size === 0 || this.#closing.signal.aborted) return 'idle'
    const position = this.#pass?.position ?? 0
    const ahead = this.#ahead()
    if (ahead.length === 0) return 'restart'
    if (ahead.some((demand) => demand.position === position && demand.full)) return 'idle'
    if (this.#isHeldAt(position)) return 'idle'
    return this.#pass === undefined || this.#pass.pending.length === 0 ? 'pull' : 'deliver'
  }

  #ahead(): readonly Demand[] {
    const position = this.#pass?.position ?? 0
    return [...this.#demands].filter((demand) => demand.position >= position)
  }

  /** Returns true if a hold without a reader yet stands at `position`. */
  #isHeldAt(position: number): boolean {
    const hasCome = [...this.#demands].some(
      (demand) => demand.start === position && demand.position === position,
    )
    return !hasCome && [...this.#holds].some((hold) => hold.offset === position)
  }

  async #pull(): Promise<void> {
    try {
      const pass = (this.#pass ??= this.#beginPass())
      const next = await pass.iterator.next()
      if (next.done === true) this.#passEnded(pass.position)
      else pass.pending = next.value
    } catch (thrown) {
      const error = isMirrorError(thrown)
        ? thrown
        : new MirrorError('SOURCE_CORRUPT', `cannot decode ${this.name}: ${messageOf(thrown)}`, {
            side: 'source',
            cause: thrown,
          })
      for (const demand of this.#ahead()) this.#drop(demand, error)
      this.#pass = undefined
    }
  }

  #beginPass(): Pass {
    const bytes = this.#options.open({signal: this.#closing.signal})
    return {iterator: bytes[Symbol.asyncIterator](), position: 0, pending: NOTHING}
  }

  #passEnded(size: number): void {
    if (this.#size !== undefined && this.#size !== size) {
      throw new MirrorError('SOURCE_CORRUPT', `${this.name} changed while it was read`, {side: 'source'})
    }
    this.#size = size
    for (const demand of this.#ahead()) {
      demand.ended(size)
      this.#demands.delete(demand)
    }
    this.#pass = undefined
  }

  async #endPass(): Promise<void> {
    const pass = this.#pass
    this.#pass = undefined
    // An error of a decoder that is being stopped concerns no reader.
    await pass?.iterator.return?.().catch(() => {})
  }

  /** Delivers pending bytes up to the next offset at which a reader begins or ends, or a hold stands. */
  #deliver(): void {
    const pass = this.#pass
    if (pass === undefined) return
    const {position, pending} = pass
    const ahead = this.#ahead()
    const stops = [
      ...ahead.flatMap((demand) => [demand.position, demand.end]),
      ...[...this.#holds].map((hold) => hold.offset),
    ]
    const next = Math.min(position + pending.length, ...stops.filter((stop) => stop > position))
    const piece = pending.subarray(0, next - position)
    for (const demand of ahead) {
      if (demand.position !== position) continue
      demand.take(piece)
      if (demand.done) this.#demands.delete(demand)
    }
    pass.position = next
    pass.pending = pending.subarray(next - position)
  }
}
