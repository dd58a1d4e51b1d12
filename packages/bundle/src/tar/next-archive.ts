import {throwIfAborted} from '../bytes/abortable.js'
import type {ByteSource} from '../bytes/byte-source.js'
import {BLOCK_BYTES} from './header.js'
import {looksLikeTar} from './looks-like-tar.js'
import type {ReadAt} from './members.js'

const WINDOW_BYTES = 64 * 1024
/** The most padding searched for another archive; the largest blocking factor in use pads to 10 MiB. */
const MOST_PADDING = 64 * 1024 * 1024

/** The first content behind an archive's end mark. */
export type NextContent =
  {readonly isTar: true; readonly offset: number} | {readonly isTar: false; readonly bytes: number}

/**
 * Looks behind the end mark of an archive, by ascending reads: `cat a.tar b.tar` puts another archive there.
 * @returns undefined if only zeros follow; endless zeros count as content
 */
export async function nextArchive(
  start: number,
  {source, read, signal}: {source: ByteSource; read: ReadAt; signal: AbortSignal | undefined},
): Promise<NextContent | undefined> {
  for (let at = start; at < start + MOST_PADDING;) {
    throwIfAborted(signal)
    const window = await read(at, WINDOW_BYTES)
    const found = window.findIndex((byte) => byte !== 0)
    if (found >= 0) {
      const block = Math.floor(found / BLOCK_BYTES) * BLOCK_BYTES
      const head = window.subarray(block, block + BLOCK_BYTES)
      if (looksLikeTar(head)) return {isTar: true, offset: at + block}
      return {isTar: false, bytes: (await source.size({signal})) - (at + found)}
    }
    if (window.length < WINDOW_BYTES) return undefined
    at += window.length
  }
  return {isTar: false, bytes: (await source.size({signal})) - start}
}
