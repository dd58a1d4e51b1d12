import {BitOutput} from './bit-output.js'
import {writeBlock} from './block-writer.js'
import {createTokenizer} from './tokenizer.js'

/**
 * A deflate encoder whose output depends on nothing but its input: integer arithmetic only, little endian throughout,
 * no state kept from one call to the next. The result ends at a byte boundary without a final block, so that results
 * can be strung together; an inflater needs one final block after the last. `plain` is `blockBytes` at most.
 */
export const createDeflate = (blockBytes: number): ((plain: Uint8Array) => Uint8Array<ArrayBuffer>) => {
  const tokenizer = createTokenizer()
  // Stored blocks cost 5 bytes each 64 KiB at worst, and a write touches three bytes more than it fills.
  const output = new BitOutput(blockBytes + (blockBytes >>> 6) + 1024)
  return (plain) => {
    if (plain.length > blockBytes) throw new RangeError(`${plain.length} bytes in a block of ${blockBytes}`)
    tokenizer.reset()
    output.length = 0
    for (let at = 0; at < plain.length;) {
      const end = tokenizer.tokenize(plain, at)
      writeBlock(output, plain.subarray(at, end), tokenizer.tokens)
      at = end
    }
    output.putStored(new Uint8Array(0))
    return output.bytes.slice(0, output.length)
  }
}
