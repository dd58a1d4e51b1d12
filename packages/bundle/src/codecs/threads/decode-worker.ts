import {parentPort, workerData} from 'node:worker_threads'
import {messageOf} from '@airgap-mirror/oci-client/model'
import type {FromWorker, ToWorker, WorkerStart} from './worker-protocol.js'

/** The decoding thread. It has no other work, so it may block while it waits for its reader. */

/** The most bytes of a zstd block: no output waits for more than its decoder has. */
const OUTPUT_BYTES = 128 * 1024
const {library, credit} = workerData as WorkerStart

function send(message: FromWorker): void {
  const transfer = message.kind === 'output' ? [message.bytes.buffer as ArrayBuffer] : []
  parentPort?.postMessage(message, transfer)
}

/** Transfers the buffer of `bytes`, so no other code may use it; waits until the reader has room. */
function sendOutput(bytes: Uint8Array): void {
  while (Atomics.load(credit, 0) <= 0) Atomics.wait(credit, 0, 0)
  Atomics.sub(credit, 0, 1)
  send({kind: 'output', bytes})
}

interface FrameDecoder {
  push(input: Uint8Array): void
  /** @throws if the frame is not complete */
  endFrame(): void
}

async function openNapi(): Promise<FrameDecoder> {
  const {DCtx} = (await import('zstd-napi/binding.js')).default
  const context = new DCtx()
  let expected = 0
  return {
    push: (input) => {
      for (let rest = input; ;) {
        const output = new Uint8Array(OUTPUT_BYTES)
        const [hint, produced, consumed] = context.decompressStream(output, rest)
        if (produced > 0) sendOutput(output.subarray(0, produced))
        expected = hint
        rest = rest.subarray(consumed)
        // At the end of a frame (hint 0) no output is left, and a further call would begin the next frame.
        if (rest.length === 0 && (hint === 0 || produced < OUTPUT_BYTES)) return
      }
    },
    endFrame: () => {
      if (expected !== 0) throw new Error('the frame is not complete')
    },
  }
}

/** A new decoder for each frame: fzstd holds back a small frame until the end, and recurses from frame to frame. */
async function openFzstd(): Promise<FrameDecoder> {
  const {Decompress} = await import('fzstd')
  const open = () =>
    new Decompress((bytes) => {
      if (bytes.length > 0) sendOutput(bytes.slice())
    })
  let decoder = open()
  return {
    push: (input) => {
      decoder.push(input)
    },
    endFrame: () => {
      decoder.push(new Uint8Array(), true)
      decoder = open()
    },
  }
}

async function openBzip2(): Promise<FrameDecoder> {
  const {Bunzip2} = await import('../bzip2/bunzip2.js')
  const bunzip2 = new Bunzip2(sendOutput)
  return {push: (input) => bunzip2.push(input), endFrame: () => bunzip2.end()}
}

async function openXz(): Promise<FrameDecoder> {
  const {Unxz} = await import('../xz/portable/unxz.js')
  const unxz = new Unxz(sendOutput)
  return {push: (input) => unxz.push(input), endFrame: () => unxz.end()}
}

const OPEN = {'zstd-napi': openNapi, fzstd: openFzstd, bzip2: openBzip2, xz: openXz} as const
const decoder = await OPEN[library]()

function receive(input: ToWorker): void {
  if (input === 'frame-end') decoder.endFrame()
  else if (input === 'end') send({kind: 'end'})
  else {
    decoder.push(input)
    send({kind: 'more'})
  }
}

parentPort?.on('message', (input: ToWorker) => {
  try {
    receive(input)
  } catch (error) {
    const isEnd = error instanceof Error && error.name === 'EndOfInput'
    send({kind: 'failed', message: messageOf(error), isEnd})
  }
})
