import {Worker} from 'node:worker_threads'
import {beginSpan, cancelled, type EndSpan} from '@airgap-mirror/oci-client/model'
import {BlockBuffers} from './block-buffers.js'
import {blockBytes, roomBytes, type BlockMethod, type PackedBlock} from './block-packer.js'
import type {BlockAnswer, BlockRequest} from './block-worker.js'

/** The block at work and the next in the mailbox, so that a thread is not idle while the main thread is busy. */
const blocksPerThread = 2

/** A packed block in the memory of a leased one. */
export interface PooledBlock extends PackedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>
}

interface Job {
  readonly request: BlockRequest
  readonly wanted: () => boolean
  readonly resolve: (packed: PooledBlock) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** In the order of requests, which is also the order of answers. */
  readonly jobs: Job[]
  /** Ends the span of the block at work. */
  end: EndSpan | undefined
}

/** Threads that pack blocks, started as work arrives. They keep the process alive only while they work. */
export class BlockPool {
  readonly #method: BlockMethod
  readonly #size: number
  readonly #threads: Thread[] = []
  readonly #waiting: Job[] = []
  readonly #buffers: BlockBuffers
  #closed = false

  constructor(method: BlockMethod, size: number) {
    this.#method = method
    this.#size = size
    this.#buffers = new BlockBuffers(blockBytes[method], roomBytes(method))
  }

  get threads(): number {
    return this.#threads.length
  }

  /** Returns a block to fill; its bytes are undefined. Return it through `giveBack`, as it is or packed. */
  lease(): Uint8Array<ArrayBuffer> {
    return this.#buffers.lease()
  }

  /** Takes back the memory of a leased or packed block. */
  giveBack(block: Uint8Array<ArrayBuffer>): void {
    if (!this.#closed) this.#buffers.giveBack(block)
  }

  /**
   * Packs the first `length` bytes of a leased block, in the memory of the block. Rejects if it is no longer `wanted` when
   * its turn comes.
   */
  pack(block: Uint8Array<ArrayBuffer>, options: {readonly length: number; readonly wanted: () => boolean}) {
    return new Promise<PooledBlock>((resolve, reject) => {
      if (this.#closed) return reject(closedError())
      const request = {buffer: block.buffer, length: options.length}
      this.#waiting.push({request, wanted: options.wanted, resolve, reject})
      this.#dispatch()
    })
  }

  /** Stops every thread; blocks not packed by then reject. */
  async close(): Promise<void> {
    this.#closed = true
    const jobs = [...this.#waiting.splice(0), ...this.#threads.flatMap((thread) => thread.jobs.splice(0))]
    for (const job of jobs) job.reject(closedError())
    this.#buffers.drop()
    await Promise.all(this.#threads.splice(0).map(({worker}) => worker.terminate()))
  }

  #dispatch(): void {
    for (let job = this.#waiting[0]; job !== undefined; job = this.#waiting[0]) {
      const thread = job.wanted() ? this.#threadWithRoom() : undefined
      if (thread === undefined && job.wanted()) return
      this.#waiting.shift()
      if (thread === undefined) {
        this.giveBack(new Uint8Array(job.request.buffer))
        job.reject(cancelled())
        continue
      }
      thread.jobs.push(job)
      if (thread.jobs.length === 1) thread.end = packing(job)
      thread.worker.ref()
      thread.worker.postMessage(job.request, [job.request.buffer])
    }
  }

  #threadWithRoom(): Thread | undefined {
    const idlest = this.#threads.toSorted((a, b) => a.jobs.length - b.jobs.length)[0]
    if (idlest?.jobs.length === 0) return idlest
    if (this.#threads.length < this.#size) return this.#start()
    return idlest !== undefined && idlest.jobs.length < blocksPerThread ? idlest : undefined
  }

  #start(): Thread {
    const worker = new Worker(new URL('./block-worker.js', import.meta.url), {
      workerData: this.#method,
      // Flags of the process, such as `--input-type`, may be invalid for a worker file.
      execArgv: [],
      // A packer has a few large buffers and hardly any objects, so the usual 48 MB young generation would be wasted.
      resourceLimits: {maxYoungGenerationSizeMb: 6},
    })
    const thread: Thread = {worker, jobs: [], end: undefined}
    this.#threads.push(thread)
    worker.unref()
    worker.on('message', (answer: BlockAnswer) => this.#settle(thread, answer))
    worker.on('error', (error) => this.#lose(thread, error))
    worker.on('exit', (code) => this.#lose(thread, new Error(`a compression thread ended with code ${code}`)))
    return thread
  }

  #settle(thread: Thread, answer: BlockAnswer): void {
    const job = thread.jobs.shift()
    thread.end?.()
    thread.end = packing(thread.jobs[0])
    if (thread.jobs.length === 0) thread.worker.unref()
    if ('packed' in answer) {
      const {length, ...rest} = answer.packed
      job?.resolve({...rest, bytes: new Uint8Array(answer.buffer, 0, length)})
    } else {
      this.giveBack(new Uint8Array(answer.buffer))
      job?.reject(answer.error)
    }
    this.#dispatch()
  }

  /** A thread that died takes its blocks with it; the next block starts another thread. */
  #lose(thread: Thread, error: unknown): void {
    const index = this.#threads.indexOf(thread)
    if (index !== -1) this.#threads.splice(index, 1)
    thread.end?.()
    for (const job of thread.jobs.splice(0)) job.reject(error)
    this.#dispatch()
  }
}

function packing(job: Job | undefined): EndSpan | undefined {
  if (job === undefined) return undefined
  return beginSpan(() => ({kind: 'compression', name: 'block', details: {bytes: job.request.length}}))
}

function closedError(): Error {
  return new Error('the layer compressor is closed')
}
