import {parentPort, workerData} from 'node:worker_threads'
import {messageOf} from '@airgap-mirror/oci-client/model'
import type {FromWorker, ToWorker, WorkerStart} from './worker-protocol.js'

/** The decoding thread. It has nothing else to do, so it may wait for its reader without an event loop. */

const OUTPUT_BYTES = 512 * 1024
const {library, credit} = workerData as WorkerStart

const send = (message: FromWorker): void => {
  const transfer = message.kind === 'output' ? [message.bytes.buffer as ArrayBuffer] : []
  parentPort?.postMessage(message, transfer)
}

/** Sends bytes whose buffer nobody else uses, once the reader has room. */
const sendOutput = (bytes: Uint8Array): void => {
  while (Atomics.load(credit, 0) <= 0) Atomics.wait(credit, 0, 0)
  Atomics.sub(credit, 0, 1)
  send({kind: 'output', bytes})
}

type Push = (input: Uint8Array) => void

const openNapi = async (): Promise<Push> => {
  const {DCtx} = (await import('zstd-napi/binding.js')).default
  const context = new DCtx()
  return (input) => {
    for (let rest = input; ;) {
      const output = new Uint8Array(OUTPUT_BYTES)
      const [, produced, consumed] = context.decompressStream(output, rest)
      if (produced > 0) sendOutput(output.subarray(0, produced))
      rest = rest.subarray(consumed)
      if (rest.length === 0 && produced < OUTPUT_BYTES) return
    }
  }
}

const openFzstd = async (): Promise<Push> => {
  const {Decompress} = await import('fzstd')
  const decoder = new Decompress((bytes) => {
    if (bytes.length > 0) sendOutput(bytes.slice())
  })
  return (input) => {
    decoder.push(input)
  }
}

const push = library === 'zstd-napi' ? await openNapi() : await openFzstd()

parentPort?.on('message', (input: ToWorker) => {
  try {
    if (input === undefined) {
      send({kind: 'end'})
      parentPort?.close()
      return
    }
    push(input)
    send({kind: 'more'})
  } catch (error) {
    send({kind: 'failed', message: messageOf(error)})
    parentPort?.close()
  }
})
