import {Worker} from 'node:worker_threads'
import {isMirrorError, limits, type Bytes} from '@airgap-mirror/oci-client/model'
import {abortable} from '../../bytes/abortable.js'
import type {DecodeOptions, SequentialDecoder} from '../sequential-decoder.js'
import {zstdFrames} from './frames.js'
import {damaged} from './node-zstd.js'
import type {FromWorker, ToWorker, WorkerStart} from './worker-protocol.js'

/** Outputs the thread may be ahead of its reader, and inputs that wait for it. */
const OUTPUTS_AHEAD = 8
const INPUTS_AHEAD = 2

/** A decoder that knows no thread but the caller's, in a thread of its own for each stream. */
export function workerZstd(library: WorkerStart['library']): SequentialDecoder {
  return async function* (compressed, options): Bytes {
    const inputs = framesFor(compressed, options.name)
    const thread = new DecodeThread(library)
    try {
      yield* decode(inputs, {...options, thread})
    } catch (thrown) {
      throw isMirrorError(thrown) ? thrown : damaged(options.name, thrown)
    } finally {
      await thread.stop()
      await inputs.return(undefined)
    }
  }
}

async function* decode(
  inputs: AsyncGenerator<ToWorker, void, undefined>,
  {signal, thread}: DecodeOptions & {readonly thread: DecodeThread},
): Bytes {
  /** Sends up to the next compressed bytes, of which the thread tells when it has used them. */
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
    if (message.kind === 'failed') throw new Error(message.message)
    if (message.kind === 'more') await feed()
    else {
      yield message.bytes
      thread.allowOneMore()
    }
  }
}

async function* framesFor(compressed: Bytes, name: string): AsyncGenerator<ToWorker, void, undefined> {
  for await (const frame of zstdFrames(compressed, {name, maxWindowBytes: limits.zstdWindowBytes})) {
    yield* frame.bytes
    yield 'frame-end'
  }
}

class DecodeThread {
  readonly #credit = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #messages: FromWorker[] = []
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(library: WorkerStart['library']) {
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

  /** Bytes go as a copy, since sending takes the buffer away from whoever else looks at it. */
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
