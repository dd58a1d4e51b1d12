import type {Bytes} from '@airgap-mirror/oci-client/model'
import {abortable} from '../../bytes/abortable.js'
import type {DecodeThread} from './decode-thread.js'
import {keepThread, takeThread} from './idle-threads.js'
import type {ThreadLibrary, ToWorker} from './worker-protocol.js'

/** The most inputs waiting for the thread. */
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
 * Runs a decoder that blocks its thread in another thread, which has no other stream meanwhile.
 * @throws {InThreadError} errors of the decoder; CANCELLED; errors of `inputs`
 */
export async function* inThread(library: ThreadLibrary, options: InThreadOptions): Bytes {
  const thread = takeThread(library)
  let isAtEnd = false
  try {
    yield* decode({...options, thread})
    isAtEnd = true
  } finally {
    // In the middle of a stream the thread may be busy with gigabytes of output that nobody wants.
    await (isAtEnd ? keepThread(thread) : thread.stop())
    await options.inputs.return(undefined)
  }
}

async function* decode({inputs, signal, thread}: InThreadOptions & {readonly thread: DecodeThread}): Bytes {
  let isFed = false
  /** Sends the next compressed bytes or the end, after any ends of frames before it. */
  const feed = async (): Promise<void> => {
    while (!isFed) {
      const next = await inputs.next()
      isFed = next.done === true
      thread.send(next.done === true ? 'end' : next.value)
      if (next.value !== 'frame-end') return
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
