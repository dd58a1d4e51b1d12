import type {NativeLZMA} from 'node-liblzma'
import {throwIfAborted} from '../../bytes/abortable.js'
import {importNodeLiblzma} from './import-node-liblzma.js'
import {XZ_PRESET, type EncodeStream, type EncodingThread} from './xz-preset.js'

const RUN = 0
const FINISH = 3
const OK = 0
const STREAM_END = 1
const OUTPUT_BYTES = 256 * 1024

/** Loads node-liblzma's encoder; undefined if its binary does not load. */
export async function loadNodeLiblzmaEncoder(thread: EncodingThread): Promise<EncodeStream | undefined> {
  // Not an error: without the optional package, or its binary, the other encoder gives the same bytes.
  const library = await importNodeLiblzma()
  if (library === undefined) return undefined
  const {Xz, check} = library
  const code = thread === 'pool' ? codeOnPool : codeHere
  return async (block, {signal} = {}) => {
    const options = {preset: XZ_PRESET, check: check.CRC32, threads: 1, chunkSize: 1}
    const handle: unknown = Reflect.get(new Xz(options), 'lzma')
    if (!isHandle(handle)) throw new Error('node-liblzma has no encoder handle')
    const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES)
    try {
      for (let status = OK; status !== STREAM_END;) {
        throwIfAborted(signal)
        const {input, isLast} = block
        const result = await code(handle, {action: isLast ? FINISH : RUN, input, output})
        status = result.status
        if (status !== OK && status !== STREAM_END)
          throw new Error(`the xz encoder ended with code ${status}`)
        block.took(input.length - result.notTaken)
        block.append(output.subarray(0, output.length - result.room))
      }
      return block.encoded
    } finally {
      handle.close()
    }
  }
}

interface Call {
  readonly action: number
  readonly input: Buffer
  readonly output: Buffer
}

interface Result {
  readonly status: number
  /** The bytes at the end of the input that the encoder has not copied. */
  readonly notTaken: number
  /** The bytes at the end of the output that are unused. */
  readonly room: number
}

function codeOnPool(handle: NativeLZMA, {action, input, output}: Call): Promise<Result> {
  return new Promise((resolve) => {
    handle.code(action, input, 0, input.length, output, 0, (status, notTaken, room) => {
      resolve({status, notTaken, room})
      return false
    })
  })
}

async function codeHere(handle: NativeLZMA, {action, input, output}: Call): Promise<Result> {
  const [status, notTaken, room] = handle.codeSync(action, input, 0, input.length, output, 0)
  return {status, notTaken, room}
}

function isHandle(value: unknown): value is NativeLZMA {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'function'
}
