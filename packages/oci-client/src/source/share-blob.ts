import {SharedReading} from './shared-reading.js'
import {whenAborted} from '../http/when-aborted.js'
import type {BlobSource, Bytes, OpenOptions} from '../model/index.js'

/** A reader's part in a shared reading. */
export interface SharedBlob extends BlobSource {
  hold(): () => void
}

/**
 * Shares one reading of a blob between several sinks. The first `open` starts it and waits for all shares that called
 * `hold`, so hold every share before any is opened.
 * A share reads the source separately if it was not held and opens too late, opens again, or has an offset.
 * The slowest reader sets the pace, within `SHARED_BUFFER`. A reader that fails, stops or is released drops out, and
 * the others go on. The source is closed after the last reader. Every reader gets the source's errors.
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
    // An aborted reader may never ask for another chunk, and the others must not wait for it.
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
    position: source.position,
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
