import type {TarRoom} from './tar-room.js'

const KiB = 1024
const MiB = 1024 * KiB

/** The limit for manifests and configs, which their names do not reveal; the largest seen are under 100 KiB. */
const JSON_BYTES = 1 * MiB

/** Names of metadata in layouts, at the root or in a directory of a larger package. */
const METADATA_NAMES = new Set(['manifest.json', 'index.json', 'oci-layout', 'repositories', 'version'])

const OPENING_BRACKETS = new Set([0x7b, 0x5b])

export type ReadContent = (from: number, length: number) => Promise<Uint8Array>

/**
 * Returns a function that keeps contents of an archive that is costly to read again: named metadata, and small files that
 * begin like JSON.
 */
export function captureWithin(
  room: Pick<TarRoom, 'capturedBytes'>,
): (path: string, size: number, read: ReadContent) => Promise<Uint8Array | undefined> {
  return async (path, size, read) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const isNamed = METADATA_NAMES.has(name)
    if (size === 0 || size > room.capturedBytes || (!isNamed && size > JSON_BYTES)) return undefined
    const first = await read(0, 1)
    if (!isNamed && !OPENING_BRACKETS.has(first[0] ?? 0)) return undefined
    const content = Buffer.concat([first, await read(1, size - 1)])
    if (content.length < size) return undefined // The archive ends here, which is found where its end is looked at.
    room.capturedBytes -= size
    return content
  }
}
