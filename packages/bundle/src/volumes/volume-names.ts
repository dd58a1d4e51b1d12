import {basename} from 'node:path'

/** Returns the name of a bundle's volume, counted from 1: `bundle.tar.xz.001`. */
export function volumeName(name: string, number: number): string {
  return `${name}.${String(number).padStart(3, '0')}`
}

/** Returns the bundle's name and the volume's number from a path; undefined for other paths. */
export function parseVolumeName(path: string): {readonly name: string; readonly number: number} | undefined {
  const [, name, digits] = /^(.+)\.(\d{3,5})$/.exec(basename(path)) ?? []
  if (name === undefined || digits === undefined) return undefined
  const number = Number(digits)
  return number > 0 && volumeName(name, number) === basename(path) ? {name, number} : undefined
}
