import {writeBlock} from './block-writer.js'
import {createKernel, kernelBytes} from './kernel.js'

/**
 * Returns a deflate encoder whose output depends only on its input: integers only, little endian, no state between calls.
 * A result is valid until the next call. It ends at a byte boundary without a final block, so results can be joined and
 * then need one final block. `plain` is at most 1 MiB.
 */
export function createDeflate(): (plain: Uint8Array) => Uint8Array {
  const kernel = createKernel()
  return (plain) => {
    if (plain.length > kernelBytes) throw new RangeError(`${plain.length} bytes in a block of ${kernelBytes}`)
    kernel.plain.set(plain)
    kernel.reset()
    for (let at = 0; at < plain.length;) {
      const end = kernel.tokenize(at, plain.length)
      writeBlock(kernel, at, end)
      at = end
    }
    kernel.putStored(0, 0)
    return kernel.packed()
  }
}
