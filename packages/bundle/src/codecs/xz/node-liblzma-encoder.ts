import type {NativeLZMA} from 'node-liblzma'
import {XZ_PRESET, type EncodeStream} from './xz-preset.js'

const FINISH = 3
const STREAM_END = 1

/** Loads node-liblzma's encoder; undefined if its binary does not load. */
export async function loadNodeLiblzmaEncoder(): Promise<EncodeStream | undefined> {
  // Not an error: without the optional package, or its binary, the other encoder gives the same bytes.
  const library = await import('node-liblzma').catch(() => undefined)
  if (library === undefined) return undefined
  const {Xz, check} = library
  let output = Buffer.alloc(0)
  return (plain) => {
    const options = {preset: XZ_PRESET, check: check.CRC32, threads: 1, chunkSize: 1}
    const handle: unknown = Reflect.get(new Xz(options), 'lzma')
    if (!isHandle(handle)) throw new Error('node-liblzma has no encoder handle')
    const room = plain.length + (plain.length >>> 6) + 1024
    if (output.length < room) output = Buffer.allocUnsafeSlow(room)
    const input = Buffer.from(plain.buffer, plain.byteOffset, plain.length)
    try {
      const [status, , left] = handle.codeSync(FINISH, input, 0, input.length, output, 0)
      if (status !== STREAM_END) throw new Error(`the xz encoder ended with code ${status}`)
      return output.subarray(0, output.length - left)
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
