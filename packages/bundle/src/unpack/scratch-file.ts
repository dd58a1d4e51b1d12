import {randomUUID} from 'node:crypto'
import {open, rm, type FileHandle} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {codeOf, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {diskSpace, RESERVE_BYTES, SpaceWatch} from '../bytes/disk-space.js'

/** Bytes that may be written without a look at the free space. */
const GRACE_BYTES = 64 * 1024 * 1024

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
  const free = await diskSpace(directory).then(
    (space) => space.free,
    () => 0,
  )
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
  const space = new SpaceWatch(() => diskSpace(directory), {
    reserveOf: () => RESERVE_BYTES,
    grace: GRACE_BYTES,
  })
  let size = 0
  return {
    handle,
    append: async (bytes) => {
      if ((await space.lack(bytes.length)) !== undefined) throw full(directory, size)
      for (let written = 0; written < bytes.length;) {
        const result = await handle
          .write(bytes, written, bytes.length - written, size + written)
          .catch((cause: unknown) => {
            throw codeOf(cause) === 'ENOSPC' ? full(directory, size, cause) : writeFailed(directory, cause)
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
