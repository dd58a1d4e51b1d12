import type {Bytes} from '@airgap-mirror/oci-client/model'

/** A stream that can be read from its start once more, until it is told to forget. */
export interface Recorded {
  readonly bytes: Bytes
  /** Returns the whole stream from its start. Nothing else may read it then. */
  again(): Bytes
  /** From now on nothing is kept. */
  forget(): void
}

/** Passes a stream on and keeps what has passed. */
export function recorded(source: Bytes): Recorded {
  const iterator = source[Symbol.asyncIterator]()
  let kept: Uint8Array[] | undefined = []
  let failure: {readonly error: unknown} | undefined
  async function* live(): Bytes {
    if (failure !== undefined) throw failure.error
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        kept?.push(next.value)
        yield next.value
      }
    } catch (error) {
      failure = {error}
      throw error
    }
  }
  return {
    bytes: {[Symbol.asyncIterator]: () => live()[Symbol.asyncIterator]()},
    async *again() {
      const before = kept ?? []
      kept = undefined
      yield* before
      yield* live()
    },
    forget: () => {
      kept = undefined
    },
  }
}
