import {randomUUID} from 'node:crypto'
import {open, rm, type FileHandle} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {codeOf, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {diskSpace, RESERVE_BYTES, SpaceWatch} from '../bytes/disk-space.js'
import type {ScratchRoom} from './scratch-room.js'

/** Bytes that may be written without a look at the free space. */
const GRACE_BYTES = 64 * 1024 * 1024

/** A file that is deleted with its handle. */
export interface ScratchFile {
  readonly handle: FileHandle
  /**
   * @param grows how many of the bytes need new room: those that replace others need none
   * @throws {MirrorError} SCRATCH_FULL, WRITE_FAILED
   */
  readonly writeAt: (bytes: Uint8Array, position: number, grows: number) => Promise<void>
  /** Writes behind everything appended before. @throws {MirrorError} as `writeAt` */
  readonly append: (bytes: Uint8Array) => Promise<void>
  readonly dispose: () => Promise<void>
}

export interface Scratch {
  readonly directory: string
  /** Absent: the disk's room is the limit. */
  readonly room?: ScratchRoom
}

/** Returns the scratch directory of the options, by default the system's; undefined if none may be used. */
export function scratchOf(option: Scratch | 'never' | undefined): Scratch | undefined {
  return option === 'never' ? undefined : (option ?? {directory: tmpdir()})
}

/** Returns true if this many bytes fit and leave a reserve; false if the free space is unknown. */
export async function hasRoomFor(bytes: number, {directory, room}: Scratch): Promise<boolean> {
  if (room?.has(bytes) === false) return false
  const free = await diskSpace(directory).then(
    (space) => space.free,
    () => 0,
  )
  return free - RESERVE_BYTES >= bytes
}

/** @throws {MirrorError} WRITE_FAILED if no file can be created there */
export async function openScratchFile({directory, room}: Scratch): Promise<ScratchFile> {
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
  let used = 0
  let appended = 0
  const writeAt: ScratchFile['writeAt'] = async (bytes, position, grows) => {
    if (grows > 0 && (await space.lack(grows)) !== undefined) throw full(directory, used)
    if (room?.take(grows) === false) throw full(directory, used)
    used += grows
    for (let written = 0; written < bytes.length;) {
      const result = await handle
        .write(bytes, written, bytes.length - written, position + written)
        .catch((cause: unknown) => {
          used -= grows
          room?.giveBack(grows)
          throw codeOf(cause) === 'ENOSPC' ? full(directory, used, cause) : writeFailed(directory, cause)
        })
      written += result.bytesWritten
    }
  }
  return {
    handle,
    writeAt,
    append: async (bytes) => {
      await writeAt(bytes, appended, bytes.length)
      appended += bytes.length
    },
    dispose: async () => {
      room?.giveBack(used)
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
