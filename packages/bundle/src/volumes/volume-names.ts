import {basename} from 'node:path'

/** The name of a bundle's volume, counted from 1: `bundle.tar.xz.001`. */
export function volumeName(name: string, number: number): string {
  return `${name}.${String(number).padStart(3, '0')}`
}

/** The name of the bundle and the number of the volume that a path names; undefined for other paths. */
export function parseVolumeName(path: string): {readonly name: string; readonly number: number} | undefined {
  const [, name, digits] = /^(.+)\.(\d{3,5})$/.exec(basename(path)) ?? []
  if (name === undefined || digits === undefined) return undefined
  const number = Number(digits)
  return number > 0 && volumeName(name, number) === basename(path) ? {name, number} : undefined
}
