import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from './byte-source.js'

/** Called with the bytes of the whole source that were read so far; a new pass begins at 0 again. */
export type OnReading = (bytes: number, total: number) => void

/** The same source, which tells how far it has been read. Disposing it disposes of `source`. */
export function watchedBytes(
  source: ByteSource,
  {size, onReading}: {readonly size: number; readonly onReading: OnReading},
): ByteSource {
  let bytes = 0
  const tell = (read: number): void => {
    bytes = Math.min(read, size)
    onReading(bytes, size)
  }

  async function* stream(offset: number, length: number, options?: ReadOptions): Bytes {
    // Most of the source in one stream is a pass over it; of scattered ranges only the sum says something.
    const isPass = length > size / 2
    if (isPass) tell(offset)
    for await (const chunk of source.stream(offset, length, options)) {
      tell(bytes + chunk.length)
      yield chunk
    }
  }

  return {
    name: source.name,
    access: source.access,
    get usage() {
      return source.usage
    },
    read: async (offset, length, options) => {
      const read = await source.read(offset, length, options)
      // Headers and tables are small, and are all that is read of a plain archive before its content.
      bytes += read.length
      return read
    },
    stream,
    hold: (offset) => source.hold(offset),
    size: (options) => source.size(options),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}
