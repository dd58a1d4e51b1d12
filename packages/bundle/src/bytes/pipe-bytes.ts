import {Socket, type OnReadOpts, type SocketConstructorOpts} from 'node:net'
import type {Readable} from 'node:stream'
import {isatty} from 'node:tty'
import type {Bytes} from '@airgap-mirror/oci-client/model'

/** A pipe gives at most 64 KiB at a time, and each chunk costs its readers some time. */
const CHUNK_BYTES = 1024 * 1024
/** A chunk with less room is full. */
const LEAST_ROOM = 64 * 1024
/** Milliseconds that bytes of a slow writer wait for more. */
const PATIENCE = 5

export interface PipeOptions {
  /** Ends the stream at once, also while nothing comes. */
  readonly signal?: AbortSignal
  /** Returns true if the caller is done with a chunk before it asks for the next. Asked before each chunk. */
  readonly reuseChunks: () => boolean
}

/** Returns the descriptor of a pipe or socket from which nothing was read, such as `process.stdin`; undefined for others. */
export function pipeOf(stream: Readable): number | undefined {
  const isFresh = stream instanceof Socket && !stream.readableDidRead && !stream.destroyed
  const fd: unknown = isFresh ? Reflect.get(stream, 'fd') : undefined
  return typeof fd === 'number' && !isatty(fd) ? fd : undefined
}

/**
 * Yields the bytes of an open pipe or socket in large chunks. Node.js's own stream makes a buffer for each read, and its
 * garbage collector then takes longer than the reading.
 * Ends early if the signal is aborted.
 * @throws the errors of the system
 */
export async function* pipeBytes(fd: number, {signal, reuseChunks}: PipeOptions): Bytes {
  const filling = new Filling(reuseChunks)
  const state: {isClosed: boolean; error: Error | undefined} = {isClosed: false, error: undefined}
  let timer: NodeJS.Timeout | undefined
  let wake = (): void => {}
  const options: SocketConstructorOpts & {readonly onread: OnReadOpts} = {
    fd,
    readable: true,
    writable: false,
    onread: {
      // Called for the first read, and after `callback` for each that follows.
      buffer: () => filling.room,
      callback: (count: number) => {
        const isFull = filling.add(count)
        if (isFull) wake()
        else timer ??= setTimeout(() => wake(), PATIENCE)
        return !isFull
      },
    },
  }
  const socket = new Socket(options)
  socket.once('error', (error) => (state.error = error))
  socket.once('close', () => {
    state.isClosed = true
    wake()
  })
  const stop = (): void => void socket.destroy()
  signal?.addEventListener('abort', stop, {once: true})
  if (signal?.aborted === true) stop()
  try {
    while (!state.isClosed) {
      await new Promise<void>((resolve) => {
        wake = resolve
        socket.resume()
      })
      clearTimeout(timer)
      timer = undefined
      socket.pause()
      const bytes = filling.take()
      if (bytes.length > 0) yield bytes
    }
    if (state.error !== undefined) throw state.error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    socket.destroy()
  }
}

/** Chunks that are filled one after the other: at most two, if they are used again. */
class Filling {
  readonly #reuseChunks: () => boolean
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #spare: Buffer | undefined
  #filled = 0
  #taken = 0
  /** The rest of a full chunk, which the reader takes next. */
  #full: Buffer | undefined

  constructor(reuseChunks: () => boolean) {
    this.#reuseChunks = reuseChunks
  }

  /** The memory for the next read. */
  get room(): Buffer {
    return this.#chunk.subarray(this.#filled)
  }

  /** Counts bytes that were read into the room. @returns true if they have to be taken before the next read */
  add(count: number): boolean {
    this.#filled += count
    if (this.#chunk.length - this.#filled >= LEAST_ROOM) return false
    this.#full = this.#take()
    // Nothing is read into the other chunk before the reader asks for it, and then is done with this one.
    const next = this.#spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#spare = this.#reuseChunks() ? this.#chunk : undefined
    this.#chunk = next
    this.#filled = 0
    this.#taken = 0
    return true
  }

  take(): Buffer {
    const bytes = this.#full ?? this.#take()
    this.#full = undefined
    return bytes
  }

  #take(): Buffer {
    const bytes = this.#chunk.subarray(this.#taken, this.#filled)
    this.#taken = this.#filled
    return bytes
  }
}
