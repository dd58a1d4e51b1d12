import {readFile, writeFile} from 'node:fs/promises'
import type {Entry} from '@airgap-mirror/test/kit'

/** The entries, with other bytes in one file. */
export function replaced(
  entries: readonly Entry[],
  path: string,
  change: (bytes: Uint8Array) => Uint8Array,
): readonly Entry[] {
  if (!entries.some((entry) => entry.path === path && 'bytes' in entry)) throw new Error(`no file ${path}`)
  return entries.map((entry) =>
    entry.path === path && 'bytes' in entry ? {path, bytes: change(entry.bytes)} : entry,
  )
}

export function without(entries: readonly Entry[], path: string): readonly Entry[] {
  const rest = entries.filter((entry) => entry.path !== path)
  if (rest.length === entries.length) throw new Error(`no entry ${path}`)
  return rest
}

/** Flips a bit in the middle. */
export function flipped(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at)
  return copy
}

/** Changes a file where it lies. */
export async function rewrite(path: string, change: (bytes: Buffer) => Uint8Array): Promise<string> {
  await writeFile(path, change(await readFile(path)))
  return path
}

export function cutShort(path: string, share: number): Promise<string> {
  return rewrite(path, (bytes) => bytes.subarray(0, Math.floor(bytes.length * share)))
}
