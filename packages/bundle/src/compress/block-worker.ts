import {setFlagsFromString} from 'node:v8'
import {parentPort, workerData} from 'node:worker_threads'
import {createBlockPacker, type BlockMethod, type PackedBlock} from './block-packer.js'

export interface BlockRequest {
  readonly buffer: ArrayBuffer
  readonly length: number
}

/** `buffer` is the request's, handed back to be filled again. */
export type BlockAnswer =
  | {readonly buffer: ArrayBuffer; readonly packed: PackedBlock}
  | {readonly buffer: ArrayBuffer; readonly error: unknown}

const port = parentPort
if (port === null) throw new Error('block-worker.js runs on a worker thread only')

// A program may have put this off for modules that it hardly uses. This one is hot from its first block on.
setFlagsFromString('--wasm-tiering-budget=1000000')

const pack = createBlockPacker(workerData as BlockMethod)

const answer = ({buffer, length}: BlockRequest): BlockAnswer => {
  try {
    return {buffer, packed: pack(new Uint8Array(buffer, 0, length))}
  } catch (error) {
    return {buffer, error}
  }
}

port.on('message', (request: BlockRequest) => {
  const reply = answer(request)
  const transfer = 'packed' in reply ? [reply.buffer, reply.packed.bytes.buffer] : [reply.buffer]
  port.postMessage(reply, transfer)
})
