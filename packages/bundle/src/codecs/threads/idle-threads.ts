import {DecodeThread} from './decode-thread.js'
import type {ThreadLibrary} from './worker-protocol.js'

/** Each keeps the memory of its decoder. */
const MOST_IDLE = 2

/**
 * Threads that have come to the end of a stream. The start of a thread costs more than decoding a small archive, and a bundle may
 * hold hundreds of them. They do not keep the process alive.
 */
const idle: DecodeThread[] = []

/** Returns an idle thread, or starts one. */
export function takeThread(library: ThreadLibrary): DecodeThread {
  const found = idle.findIndex((thread) => thread.library === library && !thread.hasFailed)
  const [thread] = found < 0 ? [] : idle.splice(found, 1)
  thread?.resume()
  return thread ?? new DecodeThread(library)
}

/** Keeps a thread that has ended its stream, and has sent all of it, for the next. */
export async function keepThread(thread: DecodeThread): Promise<void> {
  thread.rest()
  idle.push(thread)
  const oldest = idle.length > MOST_IDLE ? idle.shift() : undefined
  await oldest?.stop()
}
