import {Worker} from 'node:worker_threads'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import {abortable} from '../../bytes/abortable.js'
import type {FromWorker, ThreadLibrary, ToWorker, WorkerStart} from './worker-protocol.js'

/** The most outputs ahead of the reader, and the most inputs waiting for the thread. */
const OUTPUTS_AHEAD = 8
const INPUTS_AHEAD = 2

export interface InThreadOptions {
  readonly inputs: AsyncGenerator<ToWorker, void, undefined>
  readonly signal?: AbortSignal
}

/** An error of the decoder in its thread. */
export class InThreadError extends Error {
  override readonly name = 'InThreadError'
  /** True if the compressed bytes ended too early. */
  readonly isEnd: boolean

  constructor(message: string, isEnd: boolean) {
    super(message)
    this.isEnd = isEnd
  }
}

/**
 * Runs a decoder that blocks its thread in a thread of its own, for one stream.
 * @throws {InThreadError} errors of the decoder; CANCELLED; errors of `inputs`
 */
export async function* inThread(library: ThreadLibrary, options: InThreadOptions): Bytes {
  const thread = new DecodeThread(library)
  try {
    yield* decode({...options, thread})
  } finally {
    await thread.stop()
    await options.inputs.return(undefined)
  }
}

async function* decode({inputs, signal, thread}: InThreadOptions & {readonly thread: DecodeThread}): Bytes {
  /** Sends the next compressed bytes or the end, after any ends of frames before it. */
  const feed = async (): Promise<void> => {
    for (;;) {
      const next = await inputs.next()
      thread.send(next.done === true ? 'end' : next.value)
      if (next.done === true || next.value !== 'frame-end') return
    }
  }
  for (let ahead = 0; ahead < INPUTS_AHEAD; ahead += 1) await feed()
  for (;;) {
    const message = await abortable(thread.next(), signal)
    if (message.kind === 'end') return
    if (message.kind === 'failed') throw new InThreadError(message.message, message.isEnd)
    if (message.kind === 'more') await feed()
    else {
      yield message.bytes
      thread.allowOneMore()
    }
  }
}

class DecodeThread {
  readonly #credit = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #messages: FromWorker[] = []
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(library: ThreadLibrary) {
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

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }
}
