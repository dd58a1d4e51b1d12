import {randomUUID} from 'node:crypto'
import {open, rm, statfs, type FileHandle} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

const MiB = 1024 * 1024

/** Left free for other users of the disk. */
const RESERVE_BYTES = 256 * MiB
/** Free space is checked again after this many bytes. */
const CHECK_BYTES = 64 * MiB

/** A file that is deleted with its handle. Written from start to end, then read. */
export interface ScratchFile {
  readonly handle: FileHandle
  /** @throws {MirrorError} SCRATCH_FULL, WRITE_FAILED */
  readonly append: (bytes: Uint8Array) => Promise<void>
  readonly dispose: () => Promise<void>
}

export interface Scratch {
  readonly directory: string
}

/** Returns the scratch directory of the options, by default the system's; undefined if none may be used. */
export function scratchOf(option: Scratch | 'never' | undefined): Scratch | undefined {
  return option === 'never' ? undefined : (option ?? {directory: tmpdir()})
}

/** Returns true if this many bytes fit and leave a reserve; false if the free space is unknown. */
export async function hasRoomFor(bytes: number, {directory}: Scratch): Promise<boolean> {
  const free = await freeBytes(directory).catch(() => 0)
  return free - RESERVE_BYTES >= bytes
}

/** @throws {MirrorError} WRITE_FAILED if no file can be created there */
export async function openScratchFile({directory}: Scratch): Promise<ScratchFile> {
  const path = join(directory, `mirror-${randomUUID()}.scratch`)
  const handle = await open(path, 'wx+', 0o600).catch((cause: unknown) => {
    throw writeFailed(directory, cause)
  })
  // Deleted at once, so that a crash leaves nothing; if an open file cannot be deleted, at the end.
  const isNameless = await rm(path).then(
    () => true,
    () => false,
  )
  let size = 0
  let unchecked = 0
  return {
    handle,
    append: async (bytes) => {
      unchecked += bytes.length
      if (unchecked >= CHECK_BYTES) {
        unchecked = 0
        if ((await freeBytes(directory)) < RESERVE_BYTES) throw full(directory, size)
      }
      for (let written = 0; written < bytes.length;) {
        const result = await handle
          .write(bytes, written, bytes.length - written, size + written)
          .catch((cause: unknown) => {
            const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
            throw isFull ? full(directory, size, cause) : writeFailed(directory, cause)
          })
        written += result.bytesWritten
      }
      size += bytes.length
    },
    dispose: async () => {
      await handle.close()
      if (!isNameless) await rm(path, {force: true})
    },
  }
}

async function freeBytes(directory: string): Promise<number> {
  const {bavail, bsize} = await statfs(directory)
  return bavail * bsize
}

function full(directory: string, size: number, cause?: unknown): MirrorError {
  return new MirrorError('SCRATCH_FULL', `no room is left in ${directory}, after ${size} bytes`, {
    side: 'source',
    advice: {kind: 'use-another-scratch'},
    cause,
  })
}

function writeFailed(directory: string, cause: unknown): MirrorError {
  return new MirrorError(
    'WRITE_FAILED',
    `cannot write to the scratch directory ${directory}: ${messageOf(cause)}`,
    {
      side: 'source',
      advice: {kind: 'use-another-scratch'},
      cause,
    },
  )
}
