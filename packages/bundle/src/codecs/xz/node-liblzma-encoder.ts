import type {NativeLZMA} from 'node-liblzma'
import {importNodeLiblzma} from './import-node-liblzma.js'
import {XZ_PRESET, type EncodeStream} from './xz-preset.js'

const FINISH = 3
const OK = 0
const STREAM_END = 1
const OUTPUT_BYTES = 256 * 1024

/** Loads node-liblzma's encoder; undefined if its binary does not load. */
export async function loadNodeLiblzmaEncoder(): Promise<EncodeStream | undefined> {
  // Not an error: without the optional package, or its binary, the other encoder gives the same bytes.
  const library = await importNodeLiblzma()
  if (library === undefined) return undefined
  const {Xz, check} = library
  const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES)
  return (block) => {
    const options = {preset: XZ_PRESET, check: check.CRC32, threads: 1, chunkSize: 1}
    const handle: unknown = Reflect.get(new Xz(options), 'lzma')
    if (!isHandle(handle)) throw new Error('node-liblzma has no encoder handle')
    try {
      for (let status = OK; status !== STREAM_END;) {
        const {rest} = block
        const input = Buffer.from(rest.buffer, rest.byteOffset, rest.length)
        const [next, notTaken, room] = handle.codeSync(FINISH, input, 0, input.length, output, 0)
        if (next !== OK && next !== STREAM_END) throw new Error(`the xz encoder ended with code ${next}`)
        block.took(rest.length - notTaken)
        block.append(output.subarray(0, output.length - room))
        status = next
      }
      return block.encoded
    } finally {
      handle.close()
    }
  }
}

function isHandle(value: unknown): value is NativeLZMA {
  return (
    typeof value === 'object' && value !== null && 'codeSync' in value && typeof value.codeSync === 'function'
  )
}
