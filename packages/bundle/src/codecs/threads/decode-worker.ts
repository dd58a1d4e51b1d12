import {parentPort, workerData} from 'node:worker_threads'
import {messageOf} from '@airgap-mirror/oci-client/model'
import type {FrameDecoder} from '../zstd/wasm-decoder.js'
import type {FromWorker, ToWorker, WorkerStart} from './worker-protocol.js'

/** The decoding thread. It has no other work, so it may block while it waits for its reader. */

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

/** Returns the decoder of the next stream, after the end of the one before. */
type NewDecoder = () => FrameDecoder

async function openZstd(): Promise<NewDecoder> {
  const {openWasmDecoder} = await import('../zstd/wasm-decoder.js')
  // Between frames it is as new, and the memory of another would come on top.
  const decoder = await openWasmDecoder(sendOutput)
  return () => decoder
}

async function openBzip2(): Promise<NewDecoder> {
  const {Bunzip2} = await import('../bzip2/bunzip2.js')
  return () => wholeStream(new Bunzip2(sendOutput))
}

async function openXz(): Promise<NewDecoder> {
  const {Unxz} = await import('../xz/portable/unxz.js')
  return () => wholeStream(new Unxz(sendOutput))
}

function wholeStream(decoder: {push(input: Uint8Array): void; end(): void}): FrameDecoder {
  return {push: (input) => decoder.push(input), endFrame: () => decoder.end()}
}

const OPEN = {zstd: openZstd, bzip2: openBzip2, xz: openXz} as const
const newDecoder = await OPEN[library]()
let decoder = newDecoder()

function receive(input: ToWorker): void {
  if (input === 'frame-end') decoder.endFrame()
  else if (input === 'end') {
    send({kind: 'end'})
    decoder = newDecoder()
  } else {
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
