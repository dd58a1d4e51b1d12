import {Worker} from 'node:worker_threads'
import type {FromWorker, ThreadLibrary, ToWorker, WorkerStart} from './worker-protocol.js'

/** The most outputs ahead of the reader. */
const OUTPUTS_AHEAD = 8

/** A thread that decodes one stream after the other. */
export class DecodeThread {
  readonly library: ThreadLibrary
  readonly #credit = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #messages: FromWorker[] = []
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(library: ThreadLibrary) {
    this.library = library
    this.#credit[0] = OUTPUTS_AHEAD
    const start: WorkerStart = {library, credit: this.#credit}
    this.#worker = new Worker(new URL('decode-worker.js', import.meta.url), {workerData: start})
    this.#worker.on('message', (message: FromWorker) => {
      this.#messages.push(message)
      this.#wake?.()
    })
    this.#worker.on('error', (error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    })
    this.#worker.on('exit', () => this.#fail(new Error('the decoding thread ended')))
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Sends a copy, because a transfer would take the buffer from its other readers. */
  send(input: ToWorker): void {
    if (typeof input === 'string') return this.#worker.postMessage(input, [])
    const copy = new Uint8Array(input)
    this.#worker.postMessage(copy, [copy.buffer])
  }

  async next(): Promise<FromWorker> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  allowOneMore(): void {
    Atomics.add(this.#credit, 0, 1)
    Atomics.notify(this.#credit, 0)
  }

  /** Lets the process end although the thread is there. */
  rest(): void {
    this.#worker.unref()
  }

  resume(): void {
    this.#worker.ref()
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }
}
