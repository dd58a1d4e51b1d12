import {setFlagsFromString} from 'node:v8'
import {parentPort, workerData} from 'node:worker_threads'
import {createBlockPacker, type BlockMethod, type PackedBlock} from './block-packer.js'

export interface BlockRequest {
  readonly buffer: ArrayBuffer
  readonly length: number
}

/**
 * `buffer` belongs to the request and returns with the packed bytes at its start. A buffer allocated by the worker would
 * stay in its heap until the main thread collects garbage.
 */
export type BlockAnswer =
  | {readonly buffer: ArrayBuffer; readonly packed: PackedLength}
  | {readonly buffer: ArrayBuffer; readonly error: unknown}

interface PackedLength extends Omit<PackedBlock, 'bytes'> {
  readonly length: number
}

const port = parentPort
if (port === null) throw new Error('block-worker.js runs on a worker thread only')

// An earlier flag may delay optimisation for rarely used modules. This module is hot from its first block on.
setFlagsFromString('--wasm-tiering-budget=1000000')

const pack = await createBlockPacker(workerData as BlockMethod)

async function answer({buffer, length}: BlockRequest): Promise<BlockAnswer> {
  try {
    const {bytes, ...rest} = await pack(new Uint8Array(buffer, 0, length))
    new Uint8Array(buffer).set(bytes)
    return {buffer, packed: {...rest, length: bytes.length}}
  } catch (error) {
    return {buffer, error}
  }
}

// In turn, because a result is valid until the next call.
let last = Promise.resolve()
port.on('message', (request: BlockRequest) => {
  last = last.then(async () => port.postMessage(await answer(request), [request.buffer]))
})
