import {writeBlock} from './block-writer.js'
import {createKernel, kernelBytes} from './kernel.js'

/**
 * A deflate encoder whose output depends on nothing but its input: integer arithmetic only, little endian throughout,
 * no state kept from one call to the next. The result ends at a byte boundary without a final block, so that results
 * can be strung together; an inflater needs one final block after the last. It is good until the next call. `plain` is a
 * MiB at most.
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
