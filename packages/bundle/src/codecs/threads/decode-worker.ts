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

async function openZstd(): Promise<FrameDecoder> {
  const {openWasmDecoder} = await import('../zstd/wasm-decoder.js')
  return await openWasmDecoder(sendOutput)
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

const OPEN = {zstd: openZstd, bzip2: openBzip2, xz: openXz} as const
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
