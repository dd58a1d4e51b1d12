import {statfs} from 'node:fs/promises'

const MiB = 1024 * 1024

/** Left free for other users of a disk. */
export const RESERVE_BYTES = 256 * MiB
/** The part of a small disk, such as a memory stick, that is left free. */
const RESERVE_PART = 1 / 20
/** Free space is asked for again after this many bytes, and earlier if little is left. */
const CHECK_BYTES = 16 * MiB
const LEAST_CHECK_BYTES = MiB / 4

/** The size of a file system and its free space, in bytes. */
export interface DiskSpace {
  readonly size: number
  readonly free: number
}

/** Returns the space of the file system that holds a path. @throws the error of the system */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const {blocks, bavail, bsize} = await statfs(path)
  return {size: blocks * bsize, free: bavail * bsize}
}

/** Returns the bytes that a target leaves free on a disk. */
export function reserveOf({size}: Pick<DiskSpace, 'size'>): number {
  return Math.min(RESERVE_BYTES, Math.floor(size * RESERVE_PART))
}

export interface SpaceWatchOptions {
  /** Returns the bytes to leave free. */
  readonly reserveOf?: (space: DiskSpace) => number
  /** Bytes that may be written before the free space is asked for. Default: none. */
  readonly grace?: number
}

/** Watches the space of a disk while one or several files are written there. */
export class SpaceWatch {
  readonly #space: () => Promise<DiskSpace>
  readonly #reserveOf: (space: DiskSpace) => number
  /** Bytes until the free space is asked for. */
  #ahead: number

  constructor(space: () => Promise<DiskSpace>, options: SpaceWatchOptions = {}) {
    this.#space = space
    this.#reserveOf = options.reserveOf ?? reserveOf
    this.#ahead = options.grace ?? 0
  }

  /**
   * Counts bytes that are about to be written. @returns the free space if the reserve would not be left
   * @throws the error of the system
   */
  async lack(bytes: number): Promise<number | undefined> {
    this.#ahead -= bytes
    if (this.#ahead > 0) return undefined
    const space = await this.#space()
    const left = space.free - this.#reserveOf(space) - bytes
    this.#ahead = Math.min(CHECK_BYTES, Math.max(LEAST_CHECK_BYTES, left / 2))
    return left < 0 ? space.free : undefined
  }
}
