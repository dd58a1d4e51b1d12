import {randomUUID} from 'node:crypto'
import {open, rm, statfs, type FileHandle} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

const MiB = 1024 * 1024

/** Left free for everybody else on the disk. */
const RESERVE_BYTES = 256 * MiB
/** Free space is asked for again after so many bytes written. */
const CHECK_BYTES = 64 * MiB

/** A file that vanishes with its handle. Written from its start to its end, then read. */
export interface ScratchFile {
  readonly handle: FileHandle
  /** @throws {MirrorError} SCRATCH_FULL, WRITE_FAILED */
  readonly append: (bytes: Uint8Array) => Promise<void>
  readonly dispose: () => Promise<void>
}

export interface Scratch {
  readonly directory: string
}

/** The scratch directory of the options: the system's own where none is named; undefined where none may be used. */
export function scratchOf(option: Scratch | 'never' | undefined): Scratch | undefined {
  return option === 'never' ? undefined : (option ?? {directory: tmpdir()})
}

/** Whether so many bytes fit and still leave something to others. False where the directory cannot be asked. */
export async function hasRoomFor(bytes: number, {directory}: Scratch): Promise<boolean> {
  const free = await freeBytes(directory).catch(() => 0)
  return free - RESERVE_BYTES >= bytes
}

/** @throws {MirrorError} WRITE_FAILED where no file can be made there */
export async function openScratchFile({directory}: Scratch): Promise<ScratchFile> {
  const path = join(directory, `mirror-${randomUUID()}.scratch`)
  const handle = await open(path, 'wx+', 0o600).catch((cause: unknown) => {
    throw writeFailed(directory, cause)
  })
  // Nameless from the start, so that no crash leaves it behind; where an open file cannot be unlinked, at the end.
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
