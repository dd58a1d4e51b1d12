import {SharedReading} from './shared-reading.js'
import {whenAborted} from '../http/when-aborted.js'
import type {BlobSource, Bytes, OpenOptions} from '../model/index.js'

/** One reader's part in a shared reading. */
export interface SharedBlob extends BlobSource {
  hold(): () => void
}

/**
 * One reading of a blob for several sinks. The first `open` starts it; whoever has said by `hold` that `open` will follow is
 * waited for, so all shares should be held before one is opened. A share that was not held and opens too late, that opens a
 * second time, or that leaves out bytes at the start, reads the source for itself.
 *
 * The slowest reader sets the pace, within `SHARED_BUFFER`. One that fails, stops reading or is let go drops out, and the
 * others go on; the source is closed when nobody is left. What the source throws, every reader gets.
 */
export function shareBlob(source: BlobSource, readers: number): readonly SharedBlob[] {
  const reading = new SharedReading(source)
  return Array.from({length: readers}, () => shareOf(source, reading))
}

function shareOf(source: BlobSource, reading: SharedReading): SharedBlob {
  const reader = Symbol('reader')
  let holds = 0
  let used = false
  const read = async function* (options: OpenOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const {offset = 0, signal} = options
    const shares = offset === 0 && !used && reading.join(reader)
    if (!shares) {
      yield* source.open(options)
      return
    }
    used = true
    // Whoever is aborted may never ask for another chunk: the others must not wait for that.
    const leave = (): void => reading.leave(reader)
    const detach = whenAborted(signal, leave)
    try {
      for (;;) {
        const chunk = await reading.next(reader, signal)
        if (chunk === undefined) return
        yield chunk
      }
    } finally {
      detach()
      leave()
    }
  }
  return {
    content: source.content,
    ...(source.position === undefined ? {} : {position: source.position}),
    open: (options = {}): Bytes => read(options),
    hold: () => {
      const release = source.hold?.()
      holds += 1
      if (!used) reading.join(reader)
      let held = true
      return () => {
        release?.()
        if (!held) return
        held = false
        holds -= 1
        if (holds === 0 && !used) reading.leave(reader)
      }
    },
  }
}
