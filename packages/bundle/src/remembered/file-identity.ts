import {stat} from 'node:fs/promises'
import {resolve} from 'node:path'

export interface FileIdentity {
  /** Unchanged until the file is written to or replaced. */
  readonly key: string
  /** True if even an immediate change of the file would change the key. */
  readonly isSettled: boolean
}

/** Milliseconds in which a file system may give two changes the same time: its clock step, or whole seconds. */
const TICK = 50
const COARSE_TICK = 2000

const SECOND = 1_000_000_000n
const MILLISECOND = 1_000_000n

/** @returns undefined if the path is not a file or cannot be read */
export async function fileIdentity(path: string): Promise<FileIdentity | undefined> {
  const now = BigInt(Date.now())
  const stats = await stat(path, {bigint: true}).catch(() => undefined)
  if (stats?.isFile() !== true) return undefined
  const {dev, ino, size, mtimeNs, ctimeNs} = stats
  const tick = mtimeNs % SECOND === 0n && ctimeNs % SECOND === 0n ? COARSE_TICK : TICK
  const changed = (mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / MILLISECOND
  return {
    key: [dev, ino, size, mtimeNs, ctimeNs, resolve(path)].join(' '),
    isSettled: now - changed > BigInt(tick),
  }
}
